import { createSocket } from 'node:dgram';
import { openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { call } from '../../../src/linux/index.ts';
import type { Probe } from './peer.ts';

/** A thread that lives in a network namespace: what it listens on and connects to is in there. */
const { namespace } = workerData as { readonly namespace: string | null };
const CLONE_NEWNET = 0x40000000;
if (namespace !== null) call('int setns(int, int)', openSync(namespace, 'r'), CLONE_NEWNET);

async function listen(port: number): Promise<void> {
  const tcp = createServer((client) => {
    client.on('error', () => undefined);
    client.end(`${client.remoteAddress}`);
  });
  await new Promise<void>((resolve) => tcp.listen({ host: '::', port }, resolve));
  const udp = createSocket('udp6');
  udp.on('message', (_message, client) => udp.send(client.address, client.port, client.address));
  await new Promise<void>((resolve) => udp.bind({ address: '::', port }, resolve));
}

/** @returns the address that the server saw; undefined when there was no answer */
function tcp({ host, port, timeoutMs }: Probe): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let said = '';
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    const finish = (answer: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      said += text;
    });
    socket.on('end', () => finish(said || undefined));
    socket.on('error', () => finish(undefined));
  });
}

function udp({ host, port, timeoutMs }: Probe): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    // A datagram may be lost while a neighbour is looked for.
    const again = setInterval(() => socket.send('?', port, host, () => undefined), 100);
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    const finish = (answer: string | undefined) => {
      clearInterval(again);
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    socket.on('message', (text) => finish(String(text)));
    socket.on('error', () => finish(undefined));
    socket.send('?', port, host, () => undefined);
  });
}

parentPort!.on('message', async ({ id, listenOn, probe }: { id: number; listenOn?: number; probe?: Probe }) => {
  let answer: string | undefined;
  if (listenOn !== undefined) await listen(listenOn);
  if (probe) answer = await (probe.protocol === 'tcp' ? tcp : udp)(probe);
  parentPort!.postMessage({ id, answer });
});
