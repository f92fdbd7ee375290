import type { VolumeHost } from '../../src/engine/ports.ts';

/** Volumes as names, with what happened to them. */
export class FakeVolumes implements VolumeHost {
  readonly data = new Map<string, string>();
  readonly mounted = new Set<string>();

  async names(): Promise<readonly string[]> {
    return [...this.data.keys()];
  }

  pathOf(name: string): string {
    return `/volumes/${name}/_data`;
  }

  checkOptions(): void {}

  async create(name: string): Promise<void> {
    this.data.set(name, '');
  }

  async remove(name: string): Promise<void> {
    this.data.delete(name);
    this.mounted.delete(name);
  }

  async mount(name: string): Promise<void> {
    this.mounted.add(name);
  }

  async unmount(name: string): Promise<void> {
    this.mounted.delete(name);
  }

  async populate(name: string, { root, path }: { readonly root: string; readonly path: string }): Promise<void> {
    if (this.data.get(name) === '') this.data.set(name, `${root}:${path}`);
  }

  async usage(name: string): Promise<number> {
    return this.data.get(name)?.length ?? 0;
  }
}
