import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerRegistry } from '../../support/docker-registry.ts';
import { command, Host } from '../../support/host.ts';

let registry: DockerRegistry;
let host: Host;
let image: string;

beforeAll(async () => {
  registry = await DockerRegistry.start({ secure: true });
  host = new Host({ env: { BERTH_CERTS_D: registry.certificates } });
  await host.importBase('busybox');
  image = `${registry.host}/team/app:1`;
  await host.ok(['tag', 'busybox', image]);
}, 120_000);

afterAll(async () => {
  await host.dispose();
  await registry.close();
});

/** A home of its own for somebody's logins. */
function home(name: string): { readonly DOCKER_CONFIG: string } {
  const folder = join(host.folder, name);
  mkdirSync(folder, { recursive: true });
  return { DOCKER_CONFIG: folder };
}

const asPassword = ['-u', 'berth', '--password-stdin'];

describe('berth login', () => {
  it('keeps what the registry accepts, and nothing else', async () => {
    const env = home('own');
    const file = join(env.DOCKER_CONFIG, 'config.json');
    const wrong = await host.berth(['login', ...asPassword, registry.host], { input: 'wrong\n', env });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('unauthorized: incorrect username or password');
    expect(existsSync(file)).toBe(false);

    const right = await host.berth(['login', ...asPassword, registry.host], { input: 'swordfish\n', env });
    expect(right).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    expect(right.stderr).toContain(`WARNING! Your credentials are stored unencrypted in '${file}'.`);

    const again = await host.berth(['login', registry.host], { env });
    expect(again).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    expect(again.stderr).toContain('Authenticating with existing credentials... [Username: berth]');

    expect((await host.berth(['push', image])).code).toBe(1);
    await host.ok(['push', image], { env });
    expect(await host.ok(['search', `${registry.host}/app`], { env })).toContain(`${registry.host}/team/app`);

    const out = ['logout', registry.host];
    expect(await host.ok(out, { env })).toBe(`Removing login credentials for ${registry.host}\n`);
    expect(await host.ok(out, { env })).toBe(`Not logged in to ${registry.host}\n`);
    expect(readFileSync(file, 'utf8')).not.toContain('auth"');
  });

  it.each([
    [['login'], 'Cannot perform an interactive login from a non TTY device'],
    [['login', '-u', 'a', '-p', 'x', '--password-stdin'], '--password and --password-stdin are mutually exclusive'],
    [['login', '--password-stdin'], 'Must provide --username with --password-stdin'],
  ])('refuses %j', async (args, message) => {
    expect(await host.berth(args, { env: home('empty') })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(message),
    });
  });

  it('lends a build the logins that its images need', async () => {
    const env = home('builder');
    await host.ok(['login', ...asPassword, registry.host], { input: 'swordfish', env });
    await host.ok(['push', image], { env });
    await host.ok(['rmi', image]);
    const build = ['build', '-q', '-'];
    const input = `FROM ${image}\nRUN echo built > /built\n`;
    expect((await host.berth(build, { input, env: home('empty') })).code).toBe(1);
    expect(await host.ok(build, { input, env })).toMatch(/^sha256:/);
    await host.ok(['tag', 'busybox', image]);
  });
});

/** The newest one that is installed, and Debian's. */
const clients = ['docker', '/usr/bin/docker'].filter((name) => name === 'docker' || existsSync(name));

describe.each(clients)('%s', (client) => {
  it('logs in, pushes and pulls through the engine', async () => {
    const env = home(`docker-${clients.indexOf(client)}`);
    const docker = (args: readonly string[], input = '') =>
      command(client, ['-H', `unix://${host.socket}`, ...args], { env: { ...env, DOCKER_BUILDKIT: '0' }, input });
    await host.ok(['images']);
    const wrong = await docker(['login', ...asPassword, registry.host], 'wrong');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('unauthorized');
    const login = await docker(['login', ...asPassword, registry.host], 'swordfish');
    expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') });
    expect((await docker(['push', image])).code).toBe(0);
    await host.ok(['rmi', image]);
    expect((await docker(['pull', image])).stdout).toContain('Downloaded newer image');
    expect((await docker(['search', `${registry.host}/app`])).stdout).toContain('team/app');
    await host.ok(['rmi', image]);
    const built = await docker(['build', '-q', '-'], `FROM ${image}\nLABEL of=docker\n`);
    expect(built.stdout).toMatch(/^sha256:/m);
    const events = (await docker(['events', '--since', '10m', '--until', String(Date.now() / 1000 + 1)])).stdout;
    expect(events).toMatch(new RegExp(`image push ${image} \\(name=${image.replace(/:1$/, '')}\\)`));
    expect(events).toMatch(new RegExp(`image pull ${image} `));
  });
});
