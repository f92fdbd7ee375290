import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Descriptor, type Digest, type ImageConfig, mediaTypes, sha256 } from '../../src/oci/index.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Bytes of the body that came, also when the connection broke. */
  received: number;
}

/** What a script may do with a request instead of the usual. */
export interface Stage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the registry does without a script. */
  readonly usual: () => Promise<void>;
  send(status: number, headers?: Readonly<Record<string, string>>, body?: string | Uint8Array): void;
  /** Sends headers that promise `body`, but only its first `bytes`, and cuts the connection. */
  cut(status: number, body: Uint8Array, bytes: number, headers?: Readonly<Record<string, string>>): void;
}

type Script = (stage: Stage) => void | Promise<void>;

export interface FakeRegistryOptions {
  /** Password of everybody. Without it nobody is asked. */
  readonly password?: string;
  /** Default `bearer`, when there is a password. */
  readonly scheme?: 'basic' | 'bearer';
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Smallest chunk of an upload that is taken, but for the last. */
  readonly minChunk?: number;
  /** It has the referrers API; then with the artifact types that it filters by itself. */
  readonly referrers?: 'plain' | 'filtering';
}

interface Upload {
  parts: Buffer[];
}

const lengthOf = ({ parts }: Upload) => parts.reduce((sum, { length }) => sum + length, 0);

/** A registry in memory that does what the protocol says, unless a script says otherwise. */
export class FakeRegistry {
  readonly requests: SeenRequest[] = [];
  /** By repository and digest. */
  readonly blobs = new Map<string, Buffer>();
  /** By repository and tag or digest. */
  readonly manifests = new Map<string, { readonly bytes: Buffer; readonly type: string }>();
  readonly uploads = new Map<string, Upload>();
  /** Tokens that are taken, with their scope. */
  readonly tokens = new Map<string, string>();
  tokenSeconds: number | undefined;
  readonly #scripts: { readonly method: string; readonly path: RegExp; readonly run: Script; left: number }[] = [];
  readonly #server: Server;
  readonly #options: FakeRegistryOptions;
  readonly #sockets = new Set<Socket>();
  #serial = 0;

  private constructor(options: FakeRegistryOptions) {
    this.#options = options;
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server = options.tls ? createTlsServer(options.tls, serve) : createServer(serve);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
  }

  static async start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.host}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Lets the next `times` requests for a path go as the script says; the script that came last goes first. */
  script(method: string, path: RegExp, run: Script, times = 1): void {
    this.#scripts.unshift({ method, path, run, left: times });
  }

  /** From now on it does the usual. */
  forgetScripts(): void {
    this.#scripts.length = 0;
  }

  /** Requests for a path that came so far. */
  seen(method: string, path: RegExp): readonly SeenRequest[] {
    return this.requests.filter((request) => request.method === method && path.test(request.url));
  }

  addBlob(repository: string, content: Uint8Array, mediaType: string = mediaTypes.ociLayerGzip): Descriptor {
    const digest = sha256(content);
    this.blobs.set(`${repository}@${digest}`, Buffer.from(content));
    return { mediaType, digest, size: content.length };
  }

  /** Stores a document under a tag and its digest. */
  addManifest(repository: string, tag: string, document: object | Uint8Array, type?: string): Descriptor {
    const bytes = document instanceof Uint8Array ? Buffer.from(document) : Buffer.from(JSON.stringify(document));
    const mediaType = type ?? (document as { mediaType?: string }).mediaType ?? mediaTypes.ociManifest;
    const digest = sha256(bytes);
    for (const name of [tag, digest]) this.manifests.set(`${repository}:${name}`, { bytes, type: mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  /** Stores an image of the layers given, each with the diff ID that its config says. */
  addImage(
    repository: string,
    tag: string,
    layers: readonly { readonly blob: Uint8Array; readonly diffId: Digest; readonly mediaType?: string }[],
    config: Partial<ImageConfig> = {},
  ): Descriptor {
    const document = {
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      ...config,
    };
    return this.addManifest(repository, tag, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: this.addBlob(repository, Buffer.from(JSON.stringify(document)), mediaTypes.ociConfig),
      layers: layers.map(({ blob, mediaType }) => this.addBlob(repository, blob, mediaType)),
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const { authorization } = request.headers;
    const seen: SeenRequest = { method, url, authorization, headers: request.headers, received: 0 };
    this.requests.push(seen);
    response.on('error', () => {});
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => {
      seen.received += chunk.length;
    });
    request.pause();
    const stage = stageOf(request, response, () => this.#usual(request, stage));
    const script = this.#scripts.find((one) => one.left > 0 && one.method === method && one.path.test(url));
    if (script) script.left -= 1;
    try {
      await (script ? script.run(stage) : stage.usual());
    } catch {
      response.destroy();
    }
  }

  async #usual(request: IncomingMessage, stage: Stage): Promise<void> {
    const url = new URL(request.url ?? '', this.origin);
    if (url.pathname === '/token') return this.#token(request, url, stage);
    const path = /^\/v2\/(?:(.+)\/(blobs|manifests|tags|referrers)\/(.*))?$/.exec(url.pathname);
    if (!path) return stage.send(404);
    const [, repository = '', kind, rest = ''] = path;
    if (!this.#mayEnter(request, repository)) return this.#challenge(stage, repository);
    if (kind === undefined) return stage.send(200, {}, '{}');
    if (kind === 'manifests') return this.#manifest(request, `${repository}:${rest}`, repository, stage);
    if (kind === 'referrers' && this.#options.referrers) return this.#referrers(repository, rest, url, stage);
    if (kind === 'referrers') return stage.send(404, {}, '404 page not found');
    if (kind === 'tags') return this.#tags(repository, url, stage);
    if (rest.startsWith('uploads/')) return this.#upload(request, url, { repository, id: rest.slice(8) }, stage);
    const content = this.blobs.get(`${repository}@${rest}`);
    if (!content) return stage.send(404, {}, errors('BLOB_UNKNOWN', 'blob unknown'));
    this.#blob(request, content, stage);
  }

  #mayEnter({ headers: { authorization = '' } }: IncomingMessage, repository: string): boolean {
    const { password, scheme = 'bearer' } = this.#options;
    if (password === undefined) return true;
    if (scheme === 'basic') return passwordOf(authorization) === password;
    const scope = this.tokens.get(authorization.replace(/^Bearer /, ''));
    return scope !== undefined && (repository === '' || scope.includes(`repository:${repository}:`));
  }

  #challenge(stage: Stage, repository: string): void {
    const scope = repository ? `,scope="repository:${repository}:pull"` : '';
    const bearer = `Bearer realm="${this.origin}/token",service="fake"${scope}`;
    const header = this.#options.scheme === 'basic' ? 'Basic realm="fake"' : bearer;
    stage.send(401, { 'WWW-Authenticate': header }, errors('UNAUTHORIZED', 'authentication required'));
  }

  async #token(request: IncomingMessage, url: URL, stage: Stage): Promise<void> {
    const form = new URLSearchParams((await bodyOf(request)).toString('utf8'));
    const given = form.get('refresh_token') ?? passwordOf(request.headers.authorization ?? '');
    if (given !== this.#options.password) return stage.send(401, {}, errors('UNAUTHORIZED', 'wrong password'));
    this.#serial += 1;
    const token = `token-${this.#serial}`;
    this.tokens.set(token, [form.get('scope') ?? '', ...url.searchParams.getAll('scope')].join(' '));
    const body = this.tokenSeconds === undefined ? { token } : { token, expires_in: this.tokenSeconds };
    stage.send(200, { 'Content-Type': 'application/json' }, JSON.stringify(body));
  }

  async #manifest(request: IncomingMessage, key: string, repository: string, stage: Stage): Promise<void> {
    if (request.method === 'PUT') {
      const tag = key.slice(repository.length + 1);
      const { digest } = this.addManifest(repository, tag, await bodyOf(request), request.headers['content-type']);
      const headers = { 'Docker-Content-Digest': digest, Location: `/v2/${repository}/manifests/${digest}` };
      const subject = this.#options.referrers && subjectIn(this.manifests.get(key)?.bytes);
      return stage.send(201, { ...headers, ...(subject ? { 'OCI-Subject': subject } : {}) });
    }
    const found = this.manifests.get(key);
    if (!found) return stage.send(404, {}, errors('MANIFEST_UNKNOWN', 'manifest unknown'));
    if (request.method === 'DELETE') {
      this.manifests.delete(key);
      return stage.send(202);
    }
    stage.send(200, { 'Content-Type': found.type, 'Docker-Content-Digest': sha256(found.bytes) }, found.bytes);
  }

  /** @see distribution-spec, "Listing Referrers" */
  #referrers(repository: string, subject: string, url: URL, stage: Stage): void {
    const { referrers } = this.#options;
    const wanted = referrers === 'filtering' ? url.searchParams.get('artifactType') : null;
    const manifests = [...this.manifests]
      .filter(([key, { bytes }]) => key.startsWith(`${repository}:sha256:`) && subjectIn(bytes) === subject)
      .map(([, { bytes, type }]) => {
        const { artifactType, annotations } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
        return { mediaType: type, digest: sha256(bytes), size: bytes.length, artifactType, annotations };
      })
      .filter(({ artifactType }) => wanted === null || artifactType === wanted);
    const applied: Record<string, string> = wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    stage.send(200, { 'Content-Type': mediaTypes.ociIndex, ...applied }, body);
  }

  #tags(repository: string, url: URL, stage: Stage): void {
    const all = [...this.manifests.keys()].filter((key) => key.startsWith(`${repository}:`));
    const names = all.map((key) => key.slice(repository.length + 1)).filter((tag) => !tag.includes(':'));
    const last = url.searchParams.get('last') ?? '';
    const rest = names.sort().filter((tag) => tag > last);
    const page = rest.slice(0, Number(url.searchParams.get('n') ?? rest.length));
    const next = `</v2/${repository}/tags/list?n=${page.length}&last=${page.at(-1)}>; rel="next"`;
    const link: Record<string, string> = page.length < rest.length ? { Link: next } : {};
    stage.send(200, link, JSON.stringify({ name: repository, tags: page }));
  }

  #blob(request: IncomingMessage, content: Buffer, stage: Stage): void {
    const from = Number(/^bytes=(\d+)-/.exec(String(request.headers.range ?? ''))?.[1] ?? 0);
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    if (from === 0) stage.send(200, { 'Accept-Ranges': 'bytes' }, content);
    else if (from >= content.length) stage.send(416);
    else stage.send(206, { 'Content-Range': range }, content.subarray(from));
  }

  /** @see distribution-spec, "Pushing blobs" */
  async #upload(
    request: IncomingMessage,
    url: URL,
    at: { repository: string; id: string },
    stage: Stage,
  ): Promise<void> {
    const { repository, id } = at;
    const place = (name: string) => `/v2/${repository}/blobs/uploads/${name}?state=x`;
    if (request.method === 'POST') {
      const mounted = this.blobs.get(`${url.searchParams.get('from')}@${url.searchParams.get('mount')}`);
      if (mounted) {
        this.addBlob(repository, mounted);
        return stage.send(201, { Location: `/v2/${repository}/blobs/${sha256(mounted)}` });
      }
      this.#serial += 1;
      this.uploads.set(`u${this.#serial}`, { parts: [] });
      const { minChunk } = this.#options;
      const limit: Record<string, string> = minChunk ? { 'OCI-Chunk-Min-Length': String(minChunk) } : {};
      return stage.send(202, { Location: place(`u${this.#serial}`), Range: '0-0', ...limit });
    }
    const upload = this.uploads.get(id);
    if (!upload) return stage.send(404, {}, errors('BLOB_UPLOAD_UNKNOWN', 'upload unknown'));
    const range = () => ({ Location: place(id), Range: `0-${Math.max(0, lengthOf(upload) - 1)}` });
    if (request.method === 'GET') return stage.send(204, range());
    if (request.method === 'DELETE') {
      this.uploads.delete(id);
      return stage.send(204);
    }
    const start = /^(\d+)-/.exec(String(request.headers['content-range'] ?? ''));
    if (start && Number(start[1]) !== lengthOf(upload)) return stage.send(416, range());
    for await (const chunk of request) upload.parts.push(chunk as Buffer);
    if (request.method === 'PATCH') return stage.send(202, range());
    const digest = url.searchParams.get('digest');
    const content = Buffer.concat(upload.parts);
    if (sha256(content) !== digest) return stage.send(400, {}, errors('DIGEST_INVALID', 'digest did not match'));
    this.uploads.delete(id);
    this.addBlob(repository, content);
    stage.send(201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest });
  }
}

function stageOf(request: IncomingMessage, response: ServerResponse, usual: () => Promise<void>): Stage {
  return {
    request,
    response,
    usual,
    send(status, headers = {}, body = '') {
      request.resume();
      response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    },
    cut(status, body, bytes, headers = {}) {
      response.writeHead(status, { 'Content-Length': body.length, ...headers });
      response.write(body.subarray(0, bytes), () => response.destroy());
    },
  };
}

function subjectIn(bytes: Buffer | undefined): string | undefined {
  return (JSON.parse(bytes?.toString('utf8') ?? '{}') as { subject?: { digest: string } }).subject?.digest;
}

function passwordOf(authorization: string): string | undefined {
  const basic = /^Basic (.+)$/.exec(authorization)?.[1];
  return basic && Buffer.from(basic, 'base64').toString('utf8').split(':')[1];
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function errors(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

/** Digest of another algorithm than the usual one. */
export function sha512(content: Uint8Array): Digest {
  return `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;
}
