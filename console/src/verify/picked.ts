/** Files that somebody chose or dropped, folders included, as a browser hands them over. */

import type { Bytes } from './digest';
import type { Dropped } from './trustFiles';

/** A file whose bytes are read when they are needed; the path is relative to what was chosen. */
export interface Picked {
  path: string;
  read: () => Promise<Bytes>;
}

/** What was chosen in a file input. */
export function chosen(input: HTMLInputElement): Picked[] {
  return [...(input.files ?? [])].map((file) => picked(file, file.webkitRelativePath || file.name));
}

/** Not every browser has it. */
interface HandedOver extends DataTransferItem {
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

/** Everything in what was dropped. */
export async function dropped(transfer: DataTransfer): Promise<Picked[]> {
  // Taken at once: the items are gone after the first wait.
  const items = [...transfer.items].map((item: HandedOver) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
    handle: item.getAsFileSystemHandle?.().catch(() => null),
  }));
  const found = items.map(async ({ entry, file, handle }) => {
    if (entry === null || file === null) return [];
    if (entry.isFile) return [picked(file, file.name)];
    // On a page from disk Chromium refuses to read entries, and Firefox and Safari have no handles.
    const folder = await handle;
    return folder?.kind === 'directory' ? inFolder(folder as FileSystemDirectoryHandle, folder.name) : walk(entry);
  });
  return (await Promise.all(found)).flat();
}

/** All of the files with their bytes. */
export async function readAll(files: readonly Picked[]): Promise<Dropped[]> {
  return Promise.all(files.map(async ({ path, read }) => ({ path, bytes: await read() })));
}

function picked(file: File, path: string): Picked {
  return { path, read: async () => new Uint8Array(await file.arrayBuffer()) };
}

async function inFolder(folder: FileSystemDirectoryHandle, path: string): Promise<Picked[]> {
  const found: Picked[] = [];
  for await (const inside of folder.values()) {
    const name = `${path}/${inside.name}`;
    if (inside.kind === 'directory') found.push(...(await inFolder(inside as FileSystemDirectoryHandle, name)));
    else found.push(picked(await (inside as FileSystemFileHandle).getFile(), name));
  }
  return found;
}

async function walk(entry: FileSystemEntry): Promise<Picked[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [picked(file, entry.fullPath.replace(/^\//, ''))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Picked[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
}
