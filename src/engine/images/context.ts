import type { EventMessage } from '../../api/contract/index.ts';
import type { ImageId, Platform } from '../../oci/index.ts';
import type { EnginePorts, StoredImage } from '../ports.ts';

export type ImagePorts = Pick<EnginePorts, 'images' | 'snapshots' | 'clock' | 'spool' | 'garbage'>;

export interface ImageUser {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
}

export interface ImageDependencies {
  readonly emit: (event: EventMessage) => void;
  /** Containers whose root stands on the image, running or not. */
  readonly containersUsing: (image: ImageId) => Promise<readonly ImageUser[]>;
  /** The platform of imported images that name none, and the one chosen from an index. Default: this machine's. */
  readonly platform?: Platform;
}

/** What the operations on images share. */
export interface ImageContext {
  readonly ports: ImagePorts;
  readonly containersUsing: ImageDependencies['containersUsing'];
  readonly platform: Platform;
  /** Publishes an image event; `name` is what the user sees: a familiar name or an id. */
  readonly publish: (action: string, image: Pick<StoredImage, 'id' | 'config'>, name: string) => void;
}

export function imageContext(ports: ImagePorts, deps: ImageDependencies, platform: Platform): ImageContext {
  return {
    ports,
    platform,
    containersUsing: deps.containersUsing,
    publish: (action, image, name) => {
      const now = ports.clock.now();
      deps.emit({
        Type: 'image',
        Action: action,
        Actor: { ID: image.id, Attributes: { ...image.config.config?.Labels, name } },
        scope: 'local',
        time: Math.floor(now / 1000),
        timeNano: now * 1e6,
      });
    },
  };
}
