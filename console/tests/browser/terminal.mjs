// What people do in a terminal beside the page.
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

// A key of one's own, and the line that is shown to others.
export async function newKey(folder, name) {
  const file = join(folder, name);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `ben@${name}`, '-f', file]);
  return { file, line: await readFile(`${file}.pub`, 'utf8') };
}

// Runs what the page tells a person to run.
export function sign(command, key) {
  const shell = spawn('sh', ['-c', command.replace('~/.ssh/id_ed25519', key)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  shell.stdout.on('data', (data) => { out += data; });
  return new Promise((resolve) => shell.once('close', () => resolve(out)));
}
