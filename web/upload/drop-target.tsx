/** The whole page takes files, wherever they are dropped. */
import { useEffect, useState } from 'preact/hooks';
import { go, links } from '../route.js';
import { allowed } from '../session/session.js';
import { text } from '../text.js';
import { droppedFiles } from './collect-files.js';
import { droppedHandles } from './file-handles.js';
import { addFiles } from './queue.js';
import { rememberRoots } from './unfinished.js';

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

export function DropTarget() {
  const [isOver, setOver] = useState(false);
  const canStore = allowed.value('write');
  useEffect(() => {
    if (!canStore) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const drop = (event: DragEvent) => {
      const { dataTransfer } = event;
      setOver(false);
      if (!hasFiles(event) || dataTransfer === null) return;
      event.preventDefault();
      void droppedHandles(dataTransfer).then(rememberRoots);
      void addFiles(droppedFiles(dataTransfer));
      go(links.upload);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    document.addEventListener('dragover', over, { signal });
    document.addEventListener('dragleave', leave, { signal });
    document.addEventListener('drop', drop, { signal });
    return () => controller.abort();
  }, [canStore]);
  return isOver ? <div class="drop-cover">{text.upload.dropAnywhere}</div> : null;
}
