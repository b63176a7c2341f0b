/** One series, looked at: a stack of images, a film, a document or a waveform, as what it is. */
import { request } from '../api/client.js';
import { search } from '../api/search.js';
import { itemsOf, nameOf, numberOf, textOf, type DataSet } from '../dicom/data-set.js';
import { formatDate } from '../dicom/format.js';
import { Icon } from '../parts/icon.js';
import { Message } from '../parts/message.js';
import { Person } from '../parts/person.js';
import { useRequest } from '../parts/use-request.js';
import { links } from '../route.js';
import { Attributes } from '../study/attributes.js';
import { text } from '../text.js';
import { Documents } from './documents.js';
import { stackOf } from './image.js';
import { StackViewer } from './stack-viewer.js';
import { Videos } from './videos.js';
import { Waveforms } from './waveforms.js';

type Kind = 'stack' | 'video' | 'document' | 'waveform' | 'nothing';

interface Series {
  readonly kind: Kind;
  readonly instances: readonly DataSet[];
}

/** MPEG and HEVC transfer syntaxes: films, which the browser plays by itself. */
const videoSyntax = /^1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?$/;
/** Structured reports and encapsulated documents, which the service shows as pages. */
const documentClass = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(88\.\d+|104\.[12])$/;

function kindOf(instances: readonly DataSet[], syntax: string): Kind {
  const [first] = instances;
  if (videoSyntax.test(syntax)) return 'video';
  if (documentClass.test(textOf(first, 'SOPClassUID'))) return 'document';
  if (itemsOf(first, 'WaveformSequence').length > 0) return 'waveform';
  return numberOf(first, 'Rows') === undefined ? 'nothing' : 'stack';
}

async function loadSeries(path: string, signal: AbortSignal): Promise<Series> {
  const [response, { results }] = await Promise.all([
    request(`${path}/metadata`, { headers: { Accept: 'application/dicom+json' }, signal }),
    search(`${path}/instances?limit=1`, signal),
  ]);
  const instances = (await response.json()) as DataSet[];
  const syntax = textOf(results[0], 'AvailableTransferSyntaxUID');
  return { kind: kindOf(instances, syntax), instances };
}

function Shown({ path, series }: { readonly path: string; readonly series: Series }) {
  const { kind, instances } = series;
  switch (kind) {
    case 'stack':
      return <StackViewer path={path} stack={stackOf(instances)} />;
    case 'video':
      return <Videos path={path} instances={instances} />;
    case 'document':
      return <Documents path={path} instances={instances} />;
    case 'waveform':
      return <Waveforms instances={instances} />;
    case 'nothing':
      return (
        <div class="look-other">
          <Message title={text.viewer.cannotShow} />
          <Attributes
            path={`${path}/instances/${textOf(instances[0], 'SOPInstanceUID')}/metadata`}
          />
        </div>
      );
  }
}

/** What is said of a series beside the patient's name; what is not known is left out. */
function factsOf(instance: DataSet): readonly string[] {
  const date = formatDate(textOf(instance, 'StudyDate'));
  return [textOf(instance, 'PatientID'), date, textOf(instance, 'SeriesDescription')].filter(
    Boolean,
  );
}

export function LookView({ study, series }: { readonly study: string; readonly series: string }) {
  const path = `studies/${study}/series/${series}`;
  const [loaded, retry] = useRequest(path, async (signal) => await loadSeries(path, signal));
  const first = loaded.state === 'there' ? loaded.value.instances[0] : undefined;
  return (
    <section class="look" aria-label={text.viewer.title}>
      <header class="look-bar">
        <a class="back" href={links.study(study)}>
          <Icon name="back" /> {text.study.title}
        </a>
        {first !== undefined && (
          <h1 class="patient-line">
            <Person name={nameOf(first, 'PatientName')} />
            <span class="faint">
              {' '}
              <bdi>{factsOf(first).join(' · ')}</bdi>
            </span>
          </h1>
        )}
        <strong class="not-diagnostic">{text.notForDiagnosis}</strong>
      </header>
      {loaded.state === 'loading' && <Message title={text.loading} />}
      {loaded.state === 'failed' && <Message title={loaded.message} tone="error" onRetry={retry} />}
      {loaded.state === 'there' && <Shown path={path} series={loaded.value} />}
    </section>
  );
}
