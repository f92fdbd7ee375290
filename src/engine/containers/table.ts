import { BerthError } from '../../errors/index.ts';
import type { Container } from './container.ts';

/** Every container of this engine, by id and by name. Names are taken before anything of the container exists. */
export class ContainerTable {
  readonly #byId = new Map<string, Container>();
  readonly #idOfName = new Map<string, string>();

  get size(): number {
    return this.#byId.size;
  }

  values(): IterableIterator<Container> {
    return this.#byId.values();
  }

  isTaken(name: string): boolean {
    return this.#idOfName.has(name);
  }

  /** @throws BerthError `conflict` */
  reserve(name: string, id: string): void {
    const owner = this.#idOfName.get(name);
    if (owner !== undefined && owner !== id) {
      throw new BerthError(
        'conflict',
        `Conflict. The container name "/${name}" is already in use by container "${owner}". ` +
          'You have to remove (or rename) that container to be able to reuse that name.',
      );
    }
    this.#idOfName.set(name, id);
  }

  release(name: string, id: string): void {
    if (this.#idOfName.get(name) === id) this.#idOfName.delete(name);
  }

  add(container: Container): void {
    this.#byId.set(container.id, container);
  }

  delete(container: Container): void {
    this.#byId.delete(container.id);
    this.release(container.record.name, container.id);
  }

  /**
   * By full id, name, or unique beginning of an id.
   * @throws BerthError `not-found`, or `invalid` when several ids begin so
   */
  get(ref: string): Container {
    const found = this.find(ref);
    if (!found) throw new BerthError('not-found', `No such container: ${ref}`);
    return found;
  }

  find(ref: string): Container | undefined {
    const named = this.#idOfName.get(ref.startsWith('/') ? ref.slice(1) : ref);
    const exact = this.#byId.get(ref) ?? (named === undefined ? undefined : this.#byId.get(named));
    if (exact || !/^[0-9a-f]{1,64}$/.test(ref)) return exact;
    const matches = [...this.#byId.values()].filter(({ id }) => id.startsWith(ref));
    if (matches.length > 1) throw new BerthError('invalid', `multiple IDs found with provided prefix: ${ref}`);
    return matches[0];
  }
}
