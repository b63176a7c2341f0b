/** Files out of what was dropped or chosen, folders searched through. */

/** A file with the path it was found under. */
export interface FoundFile {
  readonly path: string;
  readonly file: File;
}

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives a hundred at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

async function* filesOf(entry: FileSystemEntry): AsyncGenerator<FoundFile> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    yield { path: entry.fullPath.replace(/^\//, ''), file };
    return;
  }
  for (const inner of await entriesOf(entry as FileSystemDirectoryEntry)) yield* filesOf(inner);
}

/** The files of a drop. Must be called while the drop is handled: its items are gone afterwards. */
export function droppedFiles(transfer: DataTransfer): AsyncGenerator<FoundFile> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  return (async function* () {
    for (const entry of entries) yield* filesOf(entry);
  })();
}

/** The files of a picker. */
export async function* pickedFiles(files: FileList): AsyncGenerator<FoundFile> {
  for (const file of files) {
    await Promise.resolve();
    yield { path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath, file };
  }
}
