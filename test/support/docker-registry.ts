import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { selfSigned } from './self-signed.ts';
import type { TokenServer } from './token-server.ts';

/** `berth:swordfish`, as `htpasswd -B` writes it. */
const HTPASSWD = 'berth:$2b$05$eN6ux.o6Bcj06wA/f699dem7ItDVAAUJUbxDEapXPHFSY3Ny0E5bu\n';

/** The registry of Debian's `docker-registry` package on a loopback port. */
export class DockerRegistry {
  readonly folder: string;
  readonly host: string;
  /** Folder in the form of `certs.d` that makes clients trust the registry. */
  readonly certificates: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, host: string, process: ChildProcess) {
    this.folder = folder;
    this.host = host;
    this.certificates = join(folder, 'certs.d');
    this.#process = process;
  }

  /**
   * @param options.secure TLS under a CA of its own, and one user `berth` with the password `swordfish`
   * @param options.tokens whose tokens it takes
   */
  static async start(
    options: { readonly secure?: boolean; readonly tokens?: TokenServer } = {},
  ): Promise<DockerRegistry> {
    const { secure = false, tokens } = options;
    const folder = mkdtempSync('/tmp/berth-registry-');
    const port = await freePort();
    const host = `127.0.0.1:${port}`;
    const http: Record<string, unknown> = { addr: host };
    if (secure) {
      makeCertificates(folder, host);
      http['tls'] = { certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') };
      writeFileSync(join(folder, 'htpasswd'), HTPASSWD);
    }
    const config = {
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
      http,
      ...(secure ? { auth: { htpasswd: { realm: 'berth', path: join(folder, 'htpasswd') } } } : {}),
      ...(tokens ? { auth: tokens.auth(join(folder, 'token.crt')) } : {}),
    };
    if (tokens) writeFileSync(join(folder, 'token.crt'), selfSigned.cert);
    // YAML takes JSON as it is.
    writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
    const process = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
    await listening(port);
    return new DockerRegistry(folder, host, process);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function makeCertificates(folder: string, host: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const place = join(folder, 'certs.d', host);
  mkdirSync(place, { recursive: true });
  const subject = ['-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  openssl('req', '-x509', ...subject, '-subj', '/CN=Test CA', '-keyout', 'ca.key', '-out', join(place, 'ca.crt'));
  openssl('req', ...subject.slice(2), '-subj', '/CN=registry', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(join(folder, 'san'), 'subjectAltName=IP:127.0.0.1');
  const signer = ['-CA', join(place, 'ca.crt'), '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san'];
  openssl('x509', '-req', '-days', '2', '-in', 'server.csr', ...signer, '-out', 'server.crt');
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function listening(port: number): Promise<void> {
  const { connect } = await import('node:net');
  for (let tries = 0; tries < 500; tries += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('docker-registry does not listen: is the Debian package docker-registry installed?');
}
