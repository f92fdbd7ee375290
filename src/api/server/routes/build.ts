import { toBerthError } from '../../../errors/index.ts';
import type { JsonMessage } from '../../contract/index.ts';
import { readBuildInput } from '../build/input.ts';
import { narrateClassic } from '../build/narrator.ts';
import type { Exchange } from '../exchange.ts';
import { JsonStream } from '../json-stream.ts';
import type { BuildsApi, Services } from '../ports.ts';
import type { Handlers } from '../router.ts';

export function buildRoutes({ builds }: Services): Handlers {
  return {
    async 'POST /build'(exchange) {
      if (exchange.query.flag('berth-events')) return buildWithEvents(exchange, builds);
      await buildClassic(exchange, builds);
    },
  };
}

/** For our own clients: every event as it is. */
async function buildWithEvents(exchange: Exchange, builds: BuildsApi): Promise<void> {
  const stream = new JsonStream(exchange);
  const input = await readBuildInput(exchange);
  await stream.run(async () => {
    const { image } = await builds.build(input, {
      emit: (event) => stream.emit({ id: 'berth.event', aux: event }),
      signal: exchange.signal,
    });
    stream.emit({ aux: { ID: image } });
  });
}

/** For docker's classic builder client: the story as text. */
async function buildClassic(exchange: Exchange, builds: BuildsApi): Promise<void> {
  const stream = new JsonStream(exchange);
  const quiet = exchange.query.flag('q');
  const say = (message: JsonMessage) => stream.emit(message);
  const narrator = narrateClassic((text) => quiet || say({ stream: text }));
  const input = await readBuildInput(exchange);
  await stream.run(async () => {
    try {
      const { image } = await builds.build(input, { emit: narrator.tell, signal: exchange.signal });
      narrator.flush();
      say({ aux: { ID: image } });
      if (quiet) return say({ stream: `${image}\n` });
      for (const line of narrator.ending(image)) say({ stream: line });
    } catch (error) {
      narrator.flush();
      throw toBerthError(error);
    }
  });
}
