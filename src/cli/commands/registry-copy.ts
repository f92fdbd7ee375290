import { parsePlatform } from '../../oci/index.ts';
import type { Command } from '../context.ts';
import { withRegistries } from '../registry/open.ts';
import { withSource, withTarget } from '../registry/places.ts';
import { printMessages } from '../streams/messages.ts';
import { UsageError } from '../syntax/usage-error.ts';

export const run: Command = async ({ name, flags, args, environment }) => {
  const [from = '', to = ''] = args;
  const quiet = flags.bool('quiet');
  const platforms = flags.list('platform').flatMap((text) => text.split(',').map(parsePlatform));
  if (platforms.length > 0 && flags.has('all-platforms') && flags.bool('all-platforms')) {
    throw new UsageError('--platform and --all-platforms exclude each other', { exitCode: 1, command: name });
  }
  const { copyImage } = await import('../../registry-client/index.ts');
  return await withRegistries(environment, {}, async (registries) => {
    const digest = await withSource(from, environment, registries, (source) =>
      withTarget(to, environment, registries, async (target) => {
        const messages = new MessageQueue<object & { readonly status: string }>();
        const printed = printMessages(messages, environment.stdout, { quiet });
        try {
          const copied = await copyImage(source, target, {
            platforms,
            referrers: flags.bool('referrers'),
            emit: (message) => messages.push(message),
            now: environment.now,
            signal: registries.signal,
          });
          return copied.digest;
        } finally {
          messages.end();
          await printed;
        }
      }),
    );
    environment.stdout.write(`${digest}\n`);
    return 0;
  });
};

/** Hands messages on as they come. */
class MessageQueue<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = [];
  #ended = false;
  #wake: () => void = () => {};

  push(message: T): void {
    this.#waiting.push(message);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
