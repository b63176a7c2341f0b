/** The state of the service, for who runs it: what it holds, what it does, what went wrong, how it is set up. */
import { allowed } from '../session/session.js';
import type { PageSettings } from '../settings.js';
import { text } from '../text.js';
import { Changes } from './changes.js';
import { ConfigurationCard } from './configuration-card.js';
import { Figures } from './figures.js';
import { FindingsCard } from './findings-card.js';
import { ImportsCard } from './imports-card.js';
import { JobsCard } from './jobs-card.js';
import { SharesCard } from './shares-card.js';
import { TagsCard } from './tags-card.js';

export function OperateView({ settings }: { readonly settings: PageSettings }) {
  const isAdmin = allowed.value('admin');
  const shares = settings.shareDays !== null && allowed.value('share');
  return (
    <section class="operate" aria-label={text.operate.title}>
      <h1>{text.operate.title}</h1>
      {isAdmin && <Figures version={settings.version} />}
      <div class="panels">
        {isAdmin && (
          <>
            <JobsCard />
            <ImportsCard />
            <FindingsCard />
            <TagsCard />
          </>
        )}
        {shares && <SharesCard />}
        {isAdmin && <Changes />}
        {isAdmin && <ConfigurationCard />}
      </div>
    </section>
  );
}
