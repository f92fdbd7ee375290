import { request } from 'node:http';

export interface EngineReply {
  readonly status: number;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

/** One request of the Engine API, without a client's start-up. Rejects when the engine goes away. */
export function engineRequest(socketPath: string, method: string, path: string, body?: unknown): Promise<EngineReply> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const outgoing = request({ socketPath, method, path, headers, agent: false }, (reply) => {
      let all = '';
      reply.setEncoding('utf8');
      reply.on('error', reject);
      reply.on('data', (chunk: string) => {
        all += chunk;
      });
      reply.on('end', () => {
        const status = reply.statusCode ?? 0;
        try {
          resolve({ status, body: all === '' ? undefined : JSON.parse(all) });
        } catch (error) {
          reject(error);
        }
      });
    });
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}
