/** One study: whose it is, its series with pictures, and what can be done with it. */
import { useState } from 'preact/hooks';
import { request, messageOf } from '../api/client.js';
import { search, searchAll } from '../api/search.js';
import { nameOf, numberOf, textOf, textsOf, type DataSet } from '../dicom/data-set.js';
import { formatDate, formatTime } from '../dicom/format.js';
import { reload } from '../list/list-state.js';
import { Icon } from '../parts/icon.js';
import { Message } from '../parts/message.js';
import { Person } from '../parts/person.js';
import { useRequest } from '../parts/use-request.js';
import { go, lastListLink } from '../route.js';
import { allowed, sharedLink } from '../session/session.js';
import { serviceUrl, type PageSettings } from '../settings.js';
import { ShareButton } from '../share/share-button.js';
import { text } from '../text.js';
import { saveFile } from './save-file.js';
import { SeriesCard } from './series-card.js';

interface Study {
  readonly study: DataSet;
  readonly series: readonly DataSet[];
}

async function loadStudy(uid: string, signal: AbortSignal): Promise<Study> {
  const [{ results }, series] = await Promise.all([
    search(`studies?StudyInstanceUID=${uid}&includefield=NumberOfStudyRelatedInstances`, signal),
    searchAll(
      `studies/${uid}/series?limit=200&includefield=BodyPartExamined&includefield=NumberOfSeriesRelatedInstances`,
      signal,
    ),
  ]);
  const [study] = results;
  if (study === undefined) await request(`studies/${uid}/metadata`, { signal, method: 'HEAD' });
  const number = (one: DataSet) => numberOf(one, 'SeriesNumber') ?? Infinity;
  return { study: study ?? {}, series: [...series].sort((a, b) => number(a) - number(b)) };
}

function weasisLink(uid: string): string {
  const query = `$dicom:rs --url "${serviceUrl.href.replace(/\/$/, '')}" -r "studyUID=${uid}"`;
  return `weasis://?${encodeURIComponent(query)}`;
}

function Heading({ study }: { readonly study: DataSet }) {
  const born = formatDate(textOf(study, 'PatientBirthDate'));
  const facts = [
    textOf(study, 'PatientID'),
    textOf(study, 'PatientSex'),
    born === '' ? '' : `${text.study.born} ${born}`,
  ].filter(Boolean);
  const about = [
    `${formatDate(textOf(study, 'StudyDate'))} ${formatTime(textOf(study, 'StudyTime'))}`.trim(),
    textOf(study, 'StudyDescription'),
    textsOf(study, 'ModalitiesInStudy').join(', '),
    textOf(study, 'AccessionNumber'),
  ].filter(Boolean);
  return (
    <div class="study-heading">
      <h1>
        <Person name={nameOf(study, 'PatientName')} />
      </h1>
      <p>{facts.join(' · ')}</p>
      <p class="faint">
        <bdi>{about.join(' · ')}</bdi>
      </p>
    </div>
  );
}

interface ActionsProps extends Study {
  readonly uid: string;
  readonly settings: PageSettings;
  readonly onProblem: (problem: string) => void;
}

function Actions({ uid, series, settings, onProblem }: ActionsProps) {
  const { ohif, shareDays } = settings;
  const link = sharedLink();
  const [busy, setBusy] = useState(false);
  // A link to one series opens no more of its study.
  const whole = `studies/${uid}${link?.series === undefined ? '' : `/series/${link.series}`}`;
  const images = series.reduce(
    (sum, one) => sum + (numberOf(one, 'NumberOfSeriesRelatedInstances') ?? 0),
    0,
  );
  const run = (work: () => Promise<void>) => {
    setBusy(true);
    work()
      .catch((error: unknown) => onProblem(messageOf(error)))
      .finally(() => setBusy(false));
  };
  const remove = async () => {
    await request(`studies/${uid}`, { method: 'DELETE' });
    reload();
    go(lastListLink());
  };
  return (
    <div class="actions">
      {ohif && link === undefined && (
        <a class="button" href={`viewer/viewer?StudyInstanceUIDs=${uid}`} target="_blank">
          {text.study.openInOhif}
        </a>
      )}
      {link === undefined && (
        <a class="button" href={weasisLink(uid)}>
          {text.study.openInWeasis}
        </a>
      )}
      {shareDays !== null && allowed.value('share') && <ShareButton study={uid} days={shareDays} />}
      <button
        type="button"
        class="button"
        disabled={busy}
        onClick={() =>
          run(async () => await saveFile(whole, 'application/zip', `${link?.series ?? uid}.zip`))
        }
      >
        <Icon name="download" />{' '}
        {link?.series === undefined ? text.study.downloadStudy : text.study.downloadSeries}
      </button>
      {allowed.value('delete') && (
        <button
          type="button"
          class="button button-danger"
          disabled={busy}
          onClick={() => {
            if (confirm(text.study.confirmDelete(text.study.images(images)))) run(remove);
          }}
        >
          <Icon name="trash" /> {text.study.deleteStudy}
        </button>
      )}
    </div>
  );
}

interface Props {
  readonly uid: string;
  readonly settings: PageSettings;
}

export function StudyView({ uid, settings }: Props) {
  const [loaded, retry] = useRequest(uid, async (signal) => await loadStudy(uid, signal));
  const [problem, setProblem] = useState<string>();
  return (
    <section class="study" aria-label={text.study.title}>
      {sharedLink() === undefined && (
        <a class="back" href={lastListLink()}>
          <Icon name="back" /> {text.list.title}
        </a>
      )}
      {loaded.state === 'loading' && <Message title={text.loading} />}
      {loaded.state === 'failed' && <Message title={loaded.message} tone="error" onRetry={retry} />}
      {loaded.state === 'there' && (
        <>
          <div class="study-top">
            <Heading study={loaded.value.study} />
            <Actions uid={uid} {...loaded.value} settings={settings} onProblem={setProblem} />
          </div>
          {problem !== undefined && <Message title={problem} tone="error" />}
          <h2>{text.study.series(loaded.value.series.length)}</h2>
          <ul class="series">
            {loaded.value.series.map((series) => (
              <SeriesCard
                key={textOf(series, 'SeriesInstanceUID')}
                study={uid}
                series={series}
                shareDays={settings.shareDays}
                isOnly={loaded.value.series.length === 1}
              />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
