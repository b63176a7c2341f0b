/** Makes a link to a study or series: for how long, and then the link, once. */
import { useRef, useState } from 'preact/hooks';
import { messageOf, request } from '../api/client.js';
import { formatDate } from '../dicom/format.js';
import { Icon } from '../parts/icon.js';
import { text } from '../text.js';

interface Props {
  readonly study: string;
  /** The whole study when left out. */
  readonly series?: string;
  /** Days that a link works where nobody chooses. */
  readonly days: number;
}

interface NewLink {
  readonly pageUrl: string;
  readonly resourceUrl: string;
  readonly expires: string;
}

const choices = [1, 7, 30, 90];

/** A text to take along, with a button that does. */
function Copyable({ label, value }: { readonly label: string; readonly value: string }) {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    field.current?.select();
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return (
    <div class="copyable">
      <label class="field">
        <span class="field-label">{label}</span>
        <input
          class="mono"
          readOnly
          value={value}
          ref={field}
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <button
        type="button"
        class="button"
        // Where the clipboard is not to be had, the text is selected: Ctrl+C takes it.
        onClick={() => void copy().catch(() => undefined)}
      >
        <span aria-live="polite">{copied ? text.share.copied : text.share.copy}</span>
      </button>
    </div>
  );
}

function NewLinkView({ link, isSeries }: { readonly link: NewLink; readonly isSeries: boolean }) {
  const day = formatDate(link.expires.slice(0, 10).replaceAll('-', ''));
  return (
    <>
      <p>{isSeries ? text.share.whoeverSeries(day) : text.share.whoeverStudy(day)}</p>
      <Copyable label={text.share.forPeople} value={link.pageUrl} />
      <details>
        <summary>{text.share.forProgramsHint}</summary>
        <Copyable label={text.share.forPrograms} value={link.resourceUrl} />
      </details>
      <p class="faint">{text.share.once}</p>
    </>
  );
}

export function ShareButton({ study, series, days: usual }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const [days, setDays] = useState(usual);
  const [link, setLink] = useState<NewLink>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const response = await request('shares', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ study, ...(series !== undefined && { series }), days }),
      });
      setLink((await response.json()) as NewLink);
    } catch (error) {
      setProblem(messageOf(error));
    }
    setBusy(false);
  };
  const title = series === undefined ? text.share.shareStudy : text.share.shareSeries;
  const options = [...new Set([...choices, usual])].sort((a, b) => a - b);
  return (
    <>
      <button
        type="button"
        class="button"
        aria-label={title}
        onClick={() => {
          setLink(undefined);
          setProblem(undefined);
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        <Icon name="share" /> {text.share.share}
      </button>
      <dialog class="dialog" ref={dialog} aria-label={title} onClose={() => setOpen(false)}>
        {open && (
          <div class="dialog-content">
            <h2>{title}</h2>
            {link === undefined ? (
              <>
                <p>{text.share.what}</p>
                <label class="field">
                  <span class="field-label">{text.share.worksFor}</span>
                  <select
                    value={String(days)}
                    onChange={(event) => setDays(Number(event.currentTarget.value))}
                  >
                    {options.map((choice) => (
                      <option key={choice} value={String(choice)}>
                        {text.share.days(choice)}
                      </option>
                    ))}
                  </select>
                </label>
              </>
            ) : (
              <NewLinkView link={link} isSeries={series !== undefined} />
            )}
            {problem !== undefined && (
              <p class="problem" role="alert">
                {problem}
              </p>
            )}
            <div class="actions">
              {link === undefined && (
                <button
                  type="button"
                  class="button button-main"
                  disabled={busy}
                  onClick={() => void make()}
                >
                  {text.share.make}
                </button>
              )}
              <button type="button" class="button" onClick={() => dialog.current?.close()}>
                {link === undefined ? text.share.cancel : text.close}
              </button>
            </div>
          </div>
        )}
      </dialog>
    </>
  );
}
