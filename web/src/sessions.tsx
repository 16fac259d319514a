// One's own open sessions: where and when each began, and the end of what is not one's own doing.
import { useEffect, useState } from 'react';
import type { StepProps } from './account';
import { useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { END_OTHER_SESSIONS, END_SESSION, OPEN_SESSIONS, type OpenSession } from './ownaccount';
import { Problems } from './problems';
import { time } from './texts';
import { WayBack } from './wayback';

export function Sessions({ session, onBack, onDone }: StepProps) {
  const loading = useWork();
  const work = useWork();
  const [open, setOpen] = useState<readonly OpenSession[]>([]);

  useEffect(() => {
    void loading.run(async () => setOpen(await session.ask<OpenSession[]>(OPEN_SESSIONS)));
    // Asked once for each opening.
  }, [session]);

  async function end(operation: string, variables: Record<string, unknown> = {}) {
    await session.ask(operation, variables);
    await onDone(formTexts.sessionsEnded);
  }

  const button = (text: string, testId: string, label: string, action: () => Promise<void>) => (
    <button
      type="button"
      className="button"
      data-testid={testId}
      aria-label={label}
      aria-disabled={work.isBusy}
      onClick={() => void work.run(action)}
    >
      {text}
    </button>
  );
  return (
    <Freshly session={session} work={work} onCancel={onBack}>
      <WayBack onBack={onBack}>
        <Problems problems={[...loading.problems, ...work.problems]} />
        <ul className="sign-in-list">
          {open.map(({ id, device, place, address, startedAt, seenAt, isCurrent }) => (
            <li key={id} data-testid="session">
              <span>
                <b title={device}>{nameOf(device)}</b>
                <br />
                {[place, address].filter(Boolean).join(', ')}
                <br />
                {formTexts.sessionSince} {time(startedAt)}, {isCurrent ? formTexts.isCurrent : `${formTexts.sessionSeen} ${time(seenAt)}`}
              </span>
              {!isCurrent &&
                button(formTexts.endSession, 'end-session', `${formTexts.endSession}: ${nameOf(device)}, ${time(startedAt)}`, () =>
                  end(END_SESSION, { id }),
                )}
            </li>
          ))}
        </ul>
        {open.some(({ isCurrent }) => !isCurrent) &&
          button(formTexts.endOthers, 'end-others', formTexts.endOthers, () => end(END_OTHER_SESSIONS))}
      </WayBack>
    </Freshly>
  );
}

// Each calls itself by the names of others too: the first that is found here is its own.
const PROGRAMS = ['YaBrowser', 'Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'];
const SYSTEMS = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS', 'Linux'];
const NAMES: Readonly<Record<string, string>> = { YaBrowser: 'Yandex Browser', Edg: 'Edge', OPR: 'Opera', 'Mac OS': 'macOS' };

// A browser in two words; any other program as it calls itself.
function nameOf(device: string): string {
  const found = [PROGRAMS, SYSTEMS].map((names) => names.find((name) => device.includes(name)));
  return found.flatMap((name) => (name ? [NAMES[name] ?? name] : [])).join(', ') || device;
}
