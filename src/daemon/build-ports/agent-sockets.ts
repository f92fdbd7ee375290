import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import type { AgentSockets, Opened } from '../../builder/ports.ts';

/**
 * Lends agents to build steps: a socket of our own, with the owner and mode that the step wants, leads to the agent
 * while the step runs. The agent's own socket is not touched. `folder` must have a short path.
 */
export function openAgentSockets(folder: string): AgentSockets {
  return {
    async open(agent, { uid, gid, mode }): Promise<Opened> {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = `${folder}/${randomBytes(6).toString('hex')}`;
      const sockets = new Set<Socket>();
      const server = createServer((step) => {
        const toAgent = connect(agent);
        for (const [from, to] of [
          [step, toAgent],
          [toAgent, step],
        ] as const) {
          sockets.add(from);
          from.on('error', () => to.destroy());
          from.on('close', () => {
            sockets.delete(from);
            to.end();
          });
          from.pipe(to);
        }
      });
      const close = async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise<void>((resolve) => server.close(() => resolve()));
        await rm(path, { force: true });
      };
      try {
        await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
        await chown(path, uid, gid);
        await chmod(path, mode);
      } catch (error) {
        await close();
        throw error;
      }
      return { path, release: close };
    },
  };
}
