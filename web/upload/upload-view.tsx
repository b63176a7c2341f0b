/** Storing files: where to drop them, how far it is, and what became of each. */
import { useRef, useState } from 'preact/hooks';
import { formatBytes, formatDuration } from '../dicom/format.js';
import { Icon } from '../parts/icon.js';
import { Message } from '../parts/message.js';
import { lastListLink } from '../route.js';
import { allowed } from '../session/session.js';
import { text } from '../text.js';
import { pickedFiles } from './collect-files.js';
import { filesOfHandles, mayBeRead } from './file-handles.js';
import { addFiles, allItems, cancel, clear, retry, summary, type ItemState } from './queue.js';
import { forgetUnfinished, unfinished } from './unfinished.js';

const rowHeight = 36;
const margin = 10;
const states = Object.keys(text.upload.states) as ItemState[];

function Picker({ folder }: { readonly folder: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class="button" onClick={() => input.current?.click()}>
        {folder ? text.upload.pickFolder : text.upload.pickFiles}
      </button>
      <input
        class="hidden"
        type="file"
        tabIndex={-1}
        aria-hidden="true"
        multiple
        {...(folder && { webkitdirectory: true })}
        ref={input}
        onChange={(event) => {
          const { files } = event.currentTarget;
          if (files !== null) void addFiles(pickedFiles(files));
        }}
      />
    </>
  );
}

function Progress() {
  const { counts, files, bytes, sent, rate, looking } = summary.value;
  const busy = counts.waiting + counts.sending > 0;
  const failed = counts.failed + counts.cancelled;
  const left = rate > 0 ? formatDuration((bytes - sent) / rate) : '…';
  return (
    <div class="upload-progress" aria-live="polite">
      <progress max={Math.max(bytes, 1)} value={sent} aria-label={text.upload.title} />
      <p>
        {looking > 0 && `${text.upload.looking(files)} `}
        {text.upload.progress(formatBytes(sent), formatBytes(bytes))}
        {busy && ` · ${text.upload.rate(formatBytes(rate), left)}`}
      </p>
      <div class="actions">
        {busy && (
          <button type="button" class="button" onClick={cancel}>
            {text.upload.cancel}
          </button>
        )}
        {!busy && failed > 0 && (
          <button type="button" class="button button-main" onClick={retry}>
            {text.upload.retryFailed}
          </button>
        )}
        {!busy && (
          <>
            <a class="button button-main" href={lastListLink()}>
              {text.upload.openStudies}
            </a>
            <button type="button" class="button button-quiet" onClick={clear}>
              {text.upload.clear}
            </button>
          </>
        )}
      </div>
    </div>
  );
}

function Files() {
  const { counts, files } = summary.value;
  const [shown, setShown] = useState<ItemState>();
  const [top, setTop] = useState(0);
  const items =
    shown === undefined ? allItems() : allItems().filter(({ state }) => state === shown);
  const first = Math.max(0, Math.floor(top / rowHeight) - margin);
  const visible = items.slice(first, first + 30 + 2 * margin);
  return (
    <>
      <div class="presets" role="group" aria-label={text.list.filters}>
        <button
          type="button"
          aria-pressed={shown === undefined}
          onClick={() => setShown(undefined)}
        >
          {text.upload.filterAll} {files}
        </button>
        {states
          .filter((state) => counts[state] > 0)
          .map((state) => (
            <button
              key={state}
              type="button"
              aria-pressed={shown === state}
              onClick={() => setShown(state)}
            >
              {text.upload.states[state]} {counts[state]}
            </button>
          ))}
      </div>
      <div
        class="upload-list"
        tabIndex={0}
        role="region"
        aria-label={text.upload.files(files)}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <ul class="spacer" style={{ height: `${items.length * rowHeight}px` }}>
          {visible.map(({ path, file, state, why, sent }, at) => (
            <li
              key={path}
              class={`upload-item state-${state}`}
              style={{ top: `${(first + at) * rowHeight}px` }}
            >
              <span class="upload-path">
                <bdi>{path}</bdi>
              </span>
              <span class="faint">{formatBytes(file.size)}</span>
              <span class="upload-state">
                {state === 'sending' && file.size > 0
                  ? `${Math.round((sent / file.size) * 100)} %`
                  : text.upload.states[state]}
              </span>
              <span class="upload-why" title={why}>
                {why}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

/** What a reload has interrupted, and a way to go on. */
function Interrupted() {
  const [isRefused, setRefused] = useState(false);
  const before = unfinished.value;
  if (before === undefined) return null;
  const { left, roots } = before;
  const canGoOn = roots.length > 0 && !isRefused;
  const goOn = async () => {
    if (await mayBeRead(roots)) await addFiles(filesOfHandles(roots));
    else setRefused(true);
  };
  return (
    <div class="card" role="status">
      <p>{text.upload.interrupted(text.upload.files(left))}</p>
      {!canGoOn && <p class="faint">{text.upload.chooseAgain}</p>}
      <div class="actions">
        {canGoOn && (
          <button type="button" class="button button-main" onClick={() => void goOn()}>
            {text.upload.goOn}
          </button>
        )}
        <button type="button" class="button" onClick={forgetUnfinished}>
          {text.upload.forget}
        </button>
      </div>
    </div>
  );
}

export function UploadView() {
  if (!allowed.value('write')) return <Message title={text.upload.noRole} />;
  return (
    <section class="upload" aria-label={text.upload.title}>
      <h1>{text.upload.title}</h1>
      <div class="drop-area">
        <Icon name="upload" />
        <p class="message-title">{text.upload.drop}</p>
        <div class="actions">
          <Picker folder={false} />
          <Picker folder />
        </div>
        <p class="faint">{text.upload.hint}</p>
      </div>
      <Interrupted />
      {summary.value.files > 0 && (
        <>
          <Progress />
          <Files />
        </>
      )}
    </section>
  );
}
