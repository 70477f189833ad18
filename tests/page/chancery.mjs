// A real installation in a folder of its own: `chancery init`, `chancery server run`, and command lines that people
// are signed in to. Ends exactly the processes that it started.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = process.env.CHANCERY || 'target/debug/chancery';
const PENDING = 8;

// The web origin is part of what passkeys sign, so the port is chosen before the installation is made.
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

class Command {
  constructor(parameters, environment) {
    this.name = parameters.slice(0, 2).join(' ');
    this.out = '';
    this.errors = '';
    const env = { PATH: process.env.PATH, NO_COLOR: '1', ...environment };
    this.process = spawn(PROGRAM, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout.on('data', (data) => { this.out += data; });
    this.process.stderr.on('data', (data) => { this.errors += data; });
    this.ended = new Promise((resolve) => this.process.once('close', resolve));
  }

  async succeed(...codes) {
    const code = await this.ended;
    if (![0, ...codes].includes(code)) throw new Error(`chancery ${this.name} exited with ${code}: ${this.errors}`);
    return this.out;
  }

  // Waits until it says so on stderr.
  async says(pattern) {
    const deadline = Date.now() + 60_000;
    while (!pattern.test(this.errors)) {
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error(`chancery ${this.name} did not say ${pattern}: ${this.errors}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return pattern.exec(this.errors)[1];
  }

  async stop() {
    if (this.process.exitCode === null) this.process.kill('SIGTERM');
    await this.ended;
  }
}

// `configure` may change the data folder before the server runs.
export async function start(configure = async () => {}) {
  const folder = await mkdtemp(join(tmpdir(), 'chancery-page-'));
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const data = join(folder, 'data');
  const home = (person) => {
    const own = join(folder, person.id);
    return { HOME: own, XDG_CONFIG_HOME: join(own, 'config'), XDG_STATE_HOME: join(own, 'state'), XDG_DATA_HOME: join(own, 'data'), CHANCERY_SERVER: base };
  };
  const commands = [];
  const run = (parameters, environment = { HOME: folder }) => {
    const command = new Command(parameters, environment);
    commands.push(command);
    return command;
  };

  await run(['init', '--data', data, '--public-url', base, '--listen', `127.0.0.1:${port}`, '--log-origin', 'log.example']).succeed();
  const link = (await readFile(join(data, 'enrolment-link'), 'utf8')).trim();
  await configure(data);
  const serve = async () => {
    const running = run(['server', 'run', '--data', data]);
    await running.says(/(serving )/);
    return running;
  };
  let server = await serve();

  // Does something to the folder while no server runs on it.
  const between = async (work) => {
    await server.stop();
    await work(folder);
    server = await serve();
  };

  // Begins a login on a person's command line; the page has to finish it.
  const login = async (person) => {
    const command = run(['login', '--device'], home(person));
    const code = await command.says(/the page must show this code: ([0-9a-f ]+)/);
    const url = await command.says(/open (http\S+)/);
    return { code, url, done: () => command.succeed(), cancel: () => command.stop() };
  };

  // What the requester was shown, and tells whoever asks them.
  const digits = new Map();

  // Asks for something on the command line of a person who is signed in there; gives the request's id.
  const request = async (person, asked) => {
    const parameters = ['request', 'create', asked.entitlement, '--no-wait', '-o', 'json', '--reason', asked.reason, '--ticket', asked.ticket];
    for (const [name, value] of Object.entries(asked.set)) parameters.push('--set', `${name}=${value}`);
    for (const [name, bytes] of asked.artifacts) {
      const file = join(folder, name);
      await writeFile(file, bytes);
      parameters.push('--artifact', `${name}=${file}`);
    }
    for (const name of asked.undo) parameters.push('--undo', name);
    const view = JSON.parse(await run(parameters, home(person)).succeed(PENDING));
    digits.set(view.id, view.matching_number);
    return view.id;
  };

  const stop = async () => {
    await Promise.all(commands.map((command) => command.stop()));
    await rm(folder, { recursive: true });
  };
  return {
    base,
    folder,
    firstLink: () => link,
    seal: () => run(['trust', 'seal', '--data', data]).succeed(),
    propose: (...changes) => run(['trust', 'propose', '--data', data, ...changes]).succeed(),
    login,
    request,
    digits: (id) => digits.get(id),
    between,
    stop,
  };
}
