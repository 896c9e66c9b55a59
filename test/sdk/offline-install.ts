import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Makes `folder` a package that depends on `tarball` and `others`, and installs it with npm's own resolution but without a
 * network: everything the tarball needs is packed from `source`'s installed dependencies and offered under its name.
 */
export async function installOffline(o: {
  readonly folder: string;
  readonly name: string;
  readonly tarball: string;
  readonly source: string;
  readonly others: readonly string[];
}): Promise<void> {
  const { dependencies = {} } = await manifestIn(o.source);
  const needed = await closure([...Object.keys(dependencies), ...o.others], o.source);
  const packed = await pack(needed, o.folder);
  await writeFile(
    join(o.folder, 'package.json'),
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: { [o.name]: `file:${o.tarball}`, ...pick(packed, o.others) },
      overrides: packed,
    }),
  );
  const options = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...options], { cwd: o.folder, timeout: 240_000 });
}

/** The folders of these packages and of all they depend on, as Node would find them. */
async function closure(names: readonly string[], from: string, found = new Map<string, string>()) {
  for (const name of names) {
    if (found.has(name)) continue;
    const folder = installedFolder(name, from);
    found.set(name, folder);
    await closure(Object.keys((await manifestIn(folder)).dependencies ?? {}), folder, found);
  }
  return found;
}

function installedFolder(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(folder)) return folder;
    if (at === dirname(at)) throw new Error(`${name} is not installed above ${from}; run npm ci`);
  }
}

const manifestIn = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));

/** Packs every folder and gives `file:` addresses by name. */
async function pack(folders: ReadonlyMap<string, string>, into: string): Promise<Readonly<Record<string, string>>> {
  const options = ['--ignore-scripts', '--pack-destination', into, '--silent'];
  await run('npm', ['pack', ...folders.values(), ...options], { cwd: into, timeout: 240_000 });
  const files = await readdir(into);
  const addresses = [...folders].map(async ([name, folder]) => {
    const { version } = await manifestIn(folder);
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
    if (!files.includes(file)) throw new Error(`npm pack made no ${file}`);
    return [name, `file:${join(into, file)}`] as const;
  });
  return Object.fromEntries(await Promise.all(addresses));
}

const pick = (from: Readonly<Record<string, string>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
