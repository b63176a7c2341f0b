/** Query tags: attributes that searches find by besides those that are built in; added, switched and removed. */
import { useEffect, useState } from 'preact/hooks';
import { request } from '../api/client.js';
import { keywords, loadKeywords, titleOf } from '../dicom/keywords.js';
import { useFollowing, useRequest } from '../parts/use-request.js';
import { text } from '../text.js';
import { LoadedCard } from './card.js';
import { NewTag } from './new-tag.js';
import { TagErrors } from './tag-errors.js';
import { useChange } from './use-change.js';

interface QueryTag {
  readonly path: string;
  readonly vr: string;
  readonly level: string;
  readonly status: string;
  readonly queryStatus: string;
  readonly privateCreator?: string;
  readonly errors?: { readonly count: number };
}

const isChanging = ({ status }: QueryTag) => status !== 'ready';

interface TagProps {
  readonly tag: QueryTag;
  readonly onSwitch: () => void;
  readonly onRemove: () => void;
}

function TagItem({ tag, onSwitch, onRemove }: TagProps) {
  const [shows, setShows] = useState(false);
  const { path, vr, level, status, queryStatus, privateCreator, errors } = tag;
  const keyword = keywords.value.get(path);
  const name = keyword === undefined ? (privateCreator ?? path) : titleOf(keyword);
  const isOn = queryStatus === 'enabled';
  return (
    <li class="item item-tag">
      <div class="item-facts">
        <strong>{name}</strong> <span class="badge">{text.operate.tagLevels[level] ?? level}</span>
        {isChanging(tag) && <span class="badge">{text.operate.tagStates[status] ?? status}</span>}
        {!isOn && <span class="badge">{text.operate.tagOff}</span>}
        <p class="faint mono">
          {path} {vr}
        </p>
      </div>
      <div class="actions">
        {errors !== undefined && (
          <button
            type="button"
            class="button"
            aria-expanded={shows}
            onClick={() => setShows(!shows)}
          >
            {text.operate.tagErrors(errors.count)}
          </button>
        )}
        {!isChanging(tag) && (
          <button type="button" class="button" onClick={onSwitch}>
            {isOn ? text.operate.switchOff : text.operate.switchOn}
          </button>
        )}
        {status !== 'deleting' && (
          <button type="button" class="button button-danger" onClick={onRemove}>
            {text.operate.removeTag}
          </button>
        )}
      </div>
      {shows && <TagErrors path={path} />}
    </li>
  );
}

export function TagsCard() {
  const [loaded, reload] = useRequest('extendedquerytags', async (signal) => {
    const response = await request('extendedquerytags?limit=200', { signal });
    return (await response.json()) as readonly QueryTag[];
  });
  useFollowing(loaded, reload, (tags) => tags.some(isChanging));
  const { problem, change, remove } = useChange(reload);
  useEffect(() => void loadKeywords(), []);
  const send = async (method: string, path: string, body: unknown) => {
    const headers = { 'Content-Type': 'application/json' };
    return await change(path, { method, headers, body: JSON.stringify(body) });
  };
  return (
    <LoadedCard title={text.operate.tags} loaded={loaded} onRetry={reload} problem={problem}>
      {(tags) => (
        <>
          <p class="faint">{text.operate.tagsHint}</p>
          <ul class="plain">
            {tags.map((tag) => (
              <TagItem
                key={tag.path}
                tag={tag}
                onSwitch={() => {
                  const queryStatus = tag.queryStatus === 'enabled' ? 'Disabled' : 'Enabled';
                  void send('PATCH', `extendedquerytags/${tag.path}`, { queryStatus });
                }}
                onRemove={() =>
                  void remove(`extendedquerytags/${tag.path}`, text.operate.confirmRemoveTag)
                }
              />
            ))}
          </ul>
          <NewTag onAdd={async (tag) => await send('POST', 'extendedquerytags', [tag])} />
        </>
      )}
    </LoadedCard>
  );
}
