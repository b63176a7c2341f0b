/** The filters above the study list: they search as one types. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.js';
import { replaceListQuery, type ListQuery } from '../route.js';
import { text } from '../text.js';
import { isFiltered, presetRange, withFilters, type FilterName } from './list-query.js';

/** A pause in typing of this length starts the search. */
const pauseMilliseconds = 250;

const modalities =
  'CR CT DX ECG IO IVOCT MG MR NM OCT OP OT PT PX RF RTSTRUCT SC SEG SM SR US XA XC';

interface TypedProps {
  readonly filter: FilterName;
  readonly label: string;
  readonly query: ListQuery;
  readonly isMain?: boolean;
}

function Typed({ filter, label, query, isMain = false }: TypedProps) {
  const [typed, setTyped] = useState(query[filter] ?? '');
  const timer = useRef(0);
  const latest = useRef(query);
  latest.current = query;
  useEffect(() => setTyped(query[filter] ?? ''), [query[filter]]);
  const type = (value: string) => {
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      replaceListQuery(withFilters(latest.current, { [filter]: value }));
    }, pauseMilliseconds);
  };
  return (
    <label class={isMain ? 'field field-main' : 'field'}>
      <span class="field-label">{label}</span>
      {isMain && <Icon name="search" />}
      <input
        type="search"
        value={typed}
        dir="auto"
        autocomplete="off"
        spellcheck={false}
        data-main={isMain}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </label>
  );
}

const presets = [
  ['today', 0],
  ['week', 6],
  ['month', 29],
  ['year', 364],
] as const;

function DateRange({ query }: { readonly query: ListQuery }) {
  const set = (change: Readonly<Record<string, string>>) => {
    replaceListQuery(withFilters(query, { from: '', to: '', ...change }));
  };
  const { from = '', to = '' } = query;
  const preset = presets.find(([, days]) => {
    const range = presetRange(days);
    return range.from === from && range.to === to;
  });
  return (
    <>
      <div class="presets" role="group" aria-label={text.list.date}>
        <button type="button" aria-pressed={from === '' && to === ''} onClick={() => set({})}>
          {text.list.presets.all}
        </button>
        {presets.map(([name, days]) => (
          <button
            key={name}
            type="button"
            aria-pressed={preset?.[0] === name}
            onClick={() => set(presetRange(days))}
          >
            {text.list.presets[name]}
          </button>
        ))}
      </div>
      {(['from', 'to'] as const).map((end) => (
        <label class="field field-date" key={end}>
          <span class="field-label">
            {end === 'from' ? text.list.filterFrom : text.list.filterTo}
          </span>
          <input
            type="date"
            value={query[end] ?? ''}
            onChange={(event) => set({ from, to, [end]: event.currentTarget.value })}
          />
        </label>
      ))}
    </>
  );
}

export function Filters({ query }: { readonly query: ListQuery }) {
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <Typed filter="name" label={text.list.filterName} query={query} isMain />
      <Typed filter="id" label={text.list.patientId} query={query} />
      <Typed filter="accession" label={text.list.accession} query={query} />
      <Typed filter="description" label={text.list.description} query={query} />
      <label class="field field-modality">
        <span class="field-label">{text.list.modality}</span>
        <select
          value={query['modality'] ?? ''}
          onChange={(event) =>
            replaceListQuery(withFilters(query, { modality: event.currentTarget.value }))
          }
        >
          <option value="">{text.list.anyModality}</option>
          {modalities.split(' ').map((modality) => (
            <option key={modality}>{modality}</option>
          ))}
        </select>
      </label>
      <DateRange query={query} />
      {isFiltered(query) && (
        <button
          type="button"
          class="button button-quiet"
          onClick={() =>
            replaceListQuery(query['sort'] === undefined ? {} : { sort: query['sort'] })
          }
        >
          {text.list.clear}
        </button>
      )}
    </form>
  );
}
