/** A volume as it is kept on disk, beside its data. */
export interface VolumeRecord {
  readonly format: 1;
  readonly name: string;
  /** Of the local driver: `type`, `device`, `o`. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Made for a container that did not name it: it goes with the container. */
  readonly anonymous: boolean;
}

/** By which docker tells volumes that nobody named. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
