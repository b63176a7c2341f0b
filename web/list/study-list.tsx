/**
 * The study list: rows of one height, of which only those in view are in the document, so that tens of
 * thousands scroll as a hundred do; further pages are fetched before their end comes into view.
 */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { textOf } from '../dicom/data-set.js';
import { Message } from '../parts/message.js';
import { go, links, replaceListQuery, type ListQuery } from '../route.js';
import { allowed } from '../session/session.js';
import { text } from '../text.js';
import { Filters } from './filters.js';
import { isFiltered, searchOf, sortable, withFilters, type SortColumn } from './list-query.js';
import { failure, loadMore, reload, rows, showSearch, state, total } from './list-state.js';
import { StudyRow } from './study-row.js';

/** Height of a row in pixels, as in the style sheet; thumbnails make rows higher. */
const rowHeights = { plain: 44, thumbnails: 84 } as const;
/** Rows kept beyond both ends of what is in view. */
const margin = 12;

const columns: readonly (readonly [name: string, label: string, sort?: SortColumn])[] = [
  ['patient', text.list.patient, 'patient'],
  ['patient-id', text.list.patientId, 'patientId'],
  ['born', text.list.birthDate],
  ['date', text.list.date, 'date'],
  ['modality', text.list.modality],
  ['description', text.list.description, 'description'],
  ['accession', text.list.accession, 'accession'],
  ['images', text.list.instances],
];

function Heading({ query }: { readonly query: ListQuery }) {
  const { sort = '' } = query;
  return (
    <div class="row row-heading" role="row">
      {columns.map(([name, label, column]) => {
        if (column === undefined) {
          return (
            <span key={name} class={`cell cell-${name}`} role="columnheader">
              {label}
            </span>
          );
        }
        const keyword = sortable[column];
        const direction =
          sort === keyword ? 'ascending' : sort === `-${keyword}` ? 'descending' : 'none';
        // Dates come latest first, everything else from its beginning; a third click takes it back.
        const first = column === 'date' ? `-${keyword}` : keyword;
        const second = column === 'date' ? keyword : `-${keyword}`;
        const next = sort === first ? second : sort === second ? '' : first;
        return (
          <span key={name} class={`cell cell-${name}`} role="columnheader" aria-sort={direction}>
            <button
              type="button"
              title={text.list.sortBy(label)}
              onClick={() => replaceListQuery(withFilters(query, { sort: next }))}
            >
              {label}
              <span class="sort-mark" aria-hidden="true">
                {direction === 'ascending' ? '↑' : direction === 'descending' ? '↓' : ''}
              </span>
            </button>
          </span>
        );
      })}
    </div>
  );
}

function Count() {
  const shown = useComputed(() => {
    if (total.value !== undefined) {
      const { count, isLowerBound } = total.value;
      const counted = text.list.count(count);
      return isLowerBound ? text.list.atLeast(counted) : counted;
    }
    if (state.value === 'end') return text.list.count(rows.value.length);
    return rows.value.length === 0 ? '' : text.list.shown(text.list.count(rows.value.length));
  });
  return (
    <p class="count" role="status">
      {shown}
    </p>
  );
}

function Nothing({ filtered }: { readonly filtered: boolean }) {
  if (state.value === 'failed') {
    return <Message title={failure.value} tone="error" onRetry={reload} />;
  }
  if (state.value === 'loading') return <Message title={text.loading} />;
  return filtered ? (
    <Message title={text.list.noMatch} />
  ) : (
    <Message title={text.list.empty}>
      <p>{text.list.emptyHint}</p>
      {allowed.value('write') && (
        <a class="button button-main" href={links.upload}>
          {text.navigation.upload}
        </a>
      )}
    </Message>
  );
}

export function StudyList({ query }: { readonly query: ListQuery }) {
  const viewport = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(800);
  const active = useSignal(0);
  const withThumbnails = query['thumbnails'] === '1';
  const rowHeight = withThumbnails ? rowHeights.thumbnails : rowHeights.plain;
  const path = searchOf(query);

  useEffect(() => {
    showSearch(path);
    active.value = 0;
    viewport.current?.scrollTo(0, 0);
  }, [path]);

  useEffect(() => {
    const element = viewport.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const count = rows.value.length;
  const first = Math.max(0, Math.floor(top.value / rowHeight) - margin);
  const last = Math.min(count, Math.ceil((top.value + height.value) / rowHeight) + margin);
  useEffect(() => {
    if (last >= count - margin && state.value === 'more') loadMore();
  }, [last, count, state.value]);

  const move = (to: number) => {
    const target = Math.max(0, Math.min(count - 1, to));
    active.value = target;
    const element = viewport.current;
    if (element === null) return;
    const start = target * rowHeight;
    if (start < element.scrollTop) element.scrollTop = start;
    const end = start + 2 * rowHeight;
    if (end > element.scrollTop + element.clientHeight) {
      element.scrollTop = end - element.clientHeight;
    }
    requestAnimationFrame(() => {
      element.querySelector<HTMLElement>(`[data-row="${target}"]`)?.focus();
    });
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => move(active.value + 1),
    ArrowUp: () => move(active.value - 1),
    PageDown: () => move(active.value + Math.floor(height.value / rowHeight)),
    PageUp: () => move(active.value - Math.floor(height.value / rowHeight)),
    Home: () => move(0),
    End: () => move(count - 1),
    Enter: () => {
      const study = textOf(rows.value[active.value], 'StudyInstanceUID');
      if (study !== '') go(links.study(study));
    },
  };

  return (
    <section class="list" aria-label={text.list.title}>
      <h1 class="hidden">{text.list.title}</h1>
      <Filters query={query} />
      <div class="list-bar">
        <Count />
        <label class="switch">
          <input
            type="checkbox"
            checked={withThumbnails}
            onChange={(event) =>
              replaceListQuery(
                withFilters(query, { thumbnails: event.currentTarget.checked ? '1' : '' }),
              )
            }
          />
          {text.list.showThumbnails}
        </label>
        <p class="hint wide-only">{text.list.keys}</p>
      </div>
      <div
        class={withThumbnails ? 'table table-thumbnails' : 'table'}
        role="table"
        aria-label={text.list.title}
        aria-rowcount={state.value === 'end' ? count + 1 : -1}
        aria-busy={state.value === 'loading'}
      >
        <Heading query={query} />
        <div
          class="table-body"
          role="rowgroup"
          ref={viewport}
          tabIndex={-1}
          onScroll={(event) => {
            top.value = event.currentTarget.scrollTop;
          }}
          onKeyDown={(event) => {
            const action = keys[event.key];
            if (action === undefined) return;
            event.preventDefault();
            action();
          }}
        >
          {count === 0 ? (
            <Nothing filtered={isFiltered(query)} />
          ) : (
            <div class="spacer" role="presentation" style={{ height: `${count * rowHeight}px` }}>
              {rows.value.slice(first, last).map((study, at) => (
                <StudyRow
                  key={textOf(study, 'StudyInstanceUID')}
                  study={study}
                  index={first + at}
                  top={(first + at) * rowHeight}
                  isActive={first + at === active.value}
                  withThumbnail={withThumbnails}
                />
              ))}
            </div>
          )}
          {count > 0 && state.value === 'failed' && (
            <Message title={failure.value} tone="error" onRetry={reload} />
          )}
        </div>
      </div>
    </section>
  );
}
