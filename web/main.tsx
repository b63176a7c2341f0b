/** The page: what a browser shows at the root of the service. */
import { render } from 'preact';
import { App } from './app.js';
import './page.css';
import { Message } from './parts/message.js';
import { session } from './session/session.js';
import { takeSharedLink } from './session/shared-link.js';
import { finishSignIn } from './session/sign-in.js';
import { fetchSettings, type PageSettings } from './settings.js';
import { text } from './text.js';
import { findUnfinished } from './upload/unfinished.js';

async function openSession({ signIn }: PageSettings): Promise<void> {
  const link = takeSharedLink();
  if (link !== undefined) {
    session.value = { kind: 'shared', link };
    return;
  }
  if (signIn === null) return;
  const tokens = await finishSignIn(signIn);
  session.value =
    tokens === undefined
      ? { kind: 'signed-out', settings: signIn }
      : { kind: 'signed-in', settings: signIn, tokens };
}

async function start(): Promise<void> {
  let settings: PageSettings;
  try {
    settings = await fetchSettings();
  } catch {
    render(
      <Message title={text.failure.away} tone="error" onRetry={() => location.reload()}>
        <p>{text.failure.noSettings}</p>
      </Message>,
      document.body,
    );
    return;
  }
  try {
    await openSession(settings);
  } catch (error) {
    const { signIn } = settings;
    if (signIn !== null) session.value = { kind: 'signed-out', settings: signIn };
    render(
      <Message
        title={text.session.refused(error instanceof Error ? error.message : String(error))}
        tone="error"
        onRetry={() => location.assign(location.pathname)}
      />,
      document.body,
    );
    return;
  }
  void findUnfinished();
  render(<App settings={settings} />, document.body);
}

void start();
