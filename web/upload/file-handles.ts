/** What was dropped as handles of files and folders (File System Access), where the browser has them. */
import type { FoundFile } from './collect-files.js';

/** What browsers have beyond the types of TypeScript. */
interface WithHandle {
  readonly getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

interface WithPermission {
  readonly queryPermission?: (mode: { readonly mode: 'read' }) => Promise<PermissionState>;
  readonly requestPermission?: (mode: { readonly mode: 'read' }) => Promise<PermissionState>;
}

/** The handles of a drop; none where the browser gives none. Must be called while the drop is handled. */
export async function droppedHandles(transfer: DataTransfer): Promise<readonly FileSystemHandle[]> {
  const asked = [...transfer.items].map(
    async (item: DataTransferItem & WithHandle) =>
      (await item.getAsFileSystemHandle?.().catch(() => null)) ?? undefined,
  );
  const handles = await Promise.all(asked);
  // With one missing, the others would promise more than they can give back.
  return handles.every((handle) => handle !== undefined) ? handles : [];
}

/** Asks, where it has to be asked, whether what was dropped before may be read again; after a click only. */
export async function mayBeRead(roots: readonly FileSystemHandle[]): Promise<boolean> {
  for (const root of roots) {
    const { queryPermission, requestPermission } = root as FileSystemHandle & WithPermission;
    const mode = { mode: 'read' } as const;
    const state = (await queryPermission?.call(root, mode)) ?? 'granted';
    if (state === 'granted') continue;
    if ((await requestPermission?.call(root, mode)) !== 'granted') return false;
  }
  return true;
}

async function* filesOf(handle: FileSystemHandle, path: string): AsyncGenerator<FoundFile> {
  if (handle.kind === 'file') {
    yield { path, file: await (handle as FileSystemFileHandle).getFile() };
    return;
  }
  for await (const inner of (handle as FileSystemDirectoryHandle).values()) {
    yield* filesOf(inner, `${path}/${inner.name}`);
  }
}

/** The files of handles, under the paths that they had when they were dropped. */
export async function* filesOfHandles(
  roots: readonly FileSystemHandle[],
): AsyncGenerator<FoundFile> {
  for (const root of roots) yield* filesOf(root, root.name);
}
