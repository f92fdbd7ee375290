import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { deviceNumber } from '../../../src/runtime/linux/device.ts';
import { mknod } from '../../../src/runtime/linux/libc.ts';
import { writeXattr } from '../../../src/runtime/linux/xattr.ts';

/** cap_net_bind_service+ep, revision 2. */
export const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

/** Makes one file of every kind that a layer can hold. */
export function makeRichTree(top: string): void {
  const deep = `${top}/${'long-directory-name-'.repeat(4)}/${'n'.repeat(120)}`;
  mkdirSync(deep, { recursive: true });
  writeFileSync(`${deep}/${'file'.repeat(50)}`, 'deep');
  writeFileSync(`${top}/empty`, '');
  writeFileSync(`${top}/block`, Buffer.alloc(512, 1));
  writeFileSync(`${top}/large`, Buffer.alloc(3_000_001, 'large '));
  writeFileSync(`${top}/ünïcødé 漢字`, 'name');
  writeFileSync(`${top}/first`, 'linked');
  linkSync(`${top}/first`, `${top}/second`);
  symlinkSync('first', `${top}/symlink`);
  symlinkSync('x'.repeat(300), `${top}/long-symlink`);
  lchownSync(`${top}/symlink`, 5, 6);
  lutimesSync(`${top}/symlink`, 1234, 1234);
  mknod(`${top}/fifo`, 0o010644, 0n);
  mknod(`${top}/char`, 0o020666, deviceNumber(1, 3));
  mknod(`${top}/block-device`, 0o060600, deviceNumber(259, 1));
  for (const [name, mode] of [
    ['setuid', 0o4755],
    ['setgid', 0o2755],
    ['private', 0o600],
  ] as const) {
    writeFileSync(`${top}/${name}`, name);
    chownSync(`${top}/${name}`, 1000, 2_000_000_000);
    chmodSync(`${top}/${name}`, mode);
  }
  mkdirSync(`${top}/sticky`);
  chmodSync(`${top}/sticky`, 0o1777);
  writeFileSync(`${top}/capable`, 'capable');
  writeXattr(`${top}/capable`, 'security.capability', capability);
  writeXattr(`${top}/capable`, 'user.binary', Buffer.from([0, 10, 61, 255]));
  writeXattr(`${top}/sticky`, 'user.on-directory', Buffer.from('yes'));
  writeFileSync(`${top}/old`, '');
  utimesSync(`${top}/old`, 86400.5, 86400.5);
  execFileSync('python3', [
    '-c',
    'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
    `${top}/socket`,
  ]);
}
