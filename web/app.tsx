/** The frame of every view: navigation, who is signed in, and the view that the URL names. */
import { useEffect, useState } from 'preact/hooks';
import { StudyList } from './list/study-list.js';
import { LookView } from './look/look-view.js';
import { OperateView } from './operate/operate-view.js';
import { Icon, type IconName } from './parts/icon.js';
import { Message } from './parts/message.js';
import { lastListLink, links, route } from './route.js';
import { allowed, session, userName } from './session/session.js';
import { leaveSharedLink } from './session/shared-link.js';
import { signOut, startSignIn } from './session/sign-in.js';
import type { PageSettings, SignInSettings } from './settings.js';
import { StudyView } from './study/study-view.js';
import { text } from './text.js';
import { DropTarget } from './upload/drop-target.js';
import { summary } from './upload/queue.js';
import { UploadView } from './upload/upload-view.js';

interface LinkProps {
  readonly href: string;
  readonly icon: IconName;
  readonly label: string;
  readonly isCurrent: boolean;
}

function NavigationLink({ href, icon, label, isCurrent }: LinkProps) {
  return (
    <a href={href} {...(isCurrent && { 'aria-current': 'page' })}>
      <Icon name={icon} />
      <span>{label}</span>
    </a>
  );
}

/** Whether there is something to operate for who is at the page. */
function canOperate({ shareDays }: PageSettings): boolean {
  return allowed.value('admin') || (shareDays !== null && allowed.value('share'));
}

function SharedHeader() {
  return (
    <header class="header">
      <strong class="app-name">{text.appName}</strong>
      <span class="badge">{text.share.sharedWithYou}</span>
      <div class="user">
        <button type="button" class="button button-quiet" onClick={leaveSharedLink}>
          {text.share.leave}
        </button>
      </div>
    </header>
  );
}

function Header({ settings }: { readonly settings: PageSettings }) {
  const { view } = route.value;
  const current = session.value;
  if (current.kind === 'shared' || current.kind === 'link-over') return <SharedHeader />;
  const { counts } = summary.value;
  const underWay = counts.waiting + counts.sending;
  const uploadLabel =
    underWay === 0 ? text.navigation.upload : `${text.navigation.upload} (${underWay})`;
  return (
    <header class="header">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {text.skipToContent}
      </a>
      <strong class="app-name">{text.appName}</strong>
      <nav aria-label={text.navigation.label}>
        <NavigationLink
          href={lastListLink()}
          icon="list"
          label={text.navigation.studies}
          isCurrent={view === 'list'}
        />
        {allowed.value('write') && (
          <NavigationLink
            href={links.upload}
            icon="upload"
            label={uploadLabel}
            isCurrent={view === 'upload'}
          />
        )}
        {canOperate(settings) && (
          <NavigationLink
            href={links.operate}
            icon="pulse"
            label={text.navigation.operate}
            isCurrent={view === 'operate'}
          />
        )}
      </nav>
      {current.kind === 'signed-in' && (
        <div class="user">
          <Icon name="user" /> <bdi>{userName.value}</bdi>
          <button
            type="button"
            class="button button-quiet"
            onClick={() => void signOut(current.settings)}
          >
            {text.session.signOut}
          </button>
        </div>
      )}
    </header>
  );
}

function SignIn({ settings, why }: { readonly settings: SignInSettings; readonly why?: string }) {
  const [problem, setProblem] = useState<string>();
  return (
    <Message title={why ?? text.session.welcome}>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <button
        type="button"
        class="button button-main"
        onClick={() => {
          startSignIn(settings).catch((error: unknown) =>
            setProblem(text.session.refused(String(error))),
          );
        }}
      >
        {text.session.signIn}
      </button>
    </Message>
  );
}

function View({ settings }: { readonly settings: PageSettings }) {
  const current = session.value;
  const at = route.value;
  if (current.kind === 'signed-out') {
    return (
      <SignIn
        settings={current.settings}
        {...(current.why === 'expired' && { why: text.session.expired })}
      />
    );
  }
  if (current.kind === 'link-over') {
    return (
      <Message title={text.failure.linkOver} tone="error">
        <p>{text.share.overHint}</p>
      </Message>
    );
  }
  if (current.kind === 'shared' && at.view !== 'look') {
    const { study } = current.link;
    return <StudyView key={study} uid={study} settings={settings} />;
  }
  if (!allowed.value('read') && at.view !== 'upload') {
    return <Message title={text.session.noRole} />;
  }
  switch (at.view) {
    case 'list':
      return <StudyList query={at.query} />;
    case 'study':
      return <StudyView key={at.study} uid={at.study} settings={settings} />;
    case 'look':
      return <LookView key={at.series} study={at.study} series={at.series} />;
    case 'upload':
      return <UploadView />;
    case 'operate':
      return <OperateView settings={settings} />;
  }
}

/** `/` goes to the first filter, from wherever nothing is typed. */
function useFilterKey(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLInputElement;
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return;
      const field = document.querySelector<HTMLInputElement>('input[data-main="true"]');
      if (field === null) return;
      event.preventDefault();
      field.focus();
      field.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

export function App({ settings }: { readonly settings: PageSettings }) {
  useFilterKey();
  return (
    <>
      <Header settings={settings} />
      <main id="content" tabIndex={-1}>
        <View settings={settings} />
      </main>
      <DropTarget />
    </>
  );
}
