/** Files that somebody chose or dropped, folders included, as a browser hands them over. */

import type { Dropped } from './trustFiles';

/** What was chosen in a file input. */
export async function chosen(input: HTMLInputElement): Promise<Dropped[]> {
  return Promise.all([...(input.files ?? [])].map((file) => read(file, file.webkitRelativePath || file.name)));
}

/** Everything in what was dropped. */
export async function dropped(transfer: DataTransfer): Promise<Dropped[]> {
  // Taken at once: the items are gone after the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  return (await Promise.all(entries.map((entry) => (entry === null ? [] : walk(entry))))).flat();
}

async function read(file: File, path: string): Promise<Dropped> {
  return { path, bytes: new Uint8Array(await file.arrayBuffer()) };
}

async function walk(entry: FileSystemEntry): Promise<Dropped[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [await read(file, entry.fullPath.replace(/^\//, ''))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Dropped[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map(walk))).flat());
  }
}
