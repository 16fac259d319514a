// What the service announces to everybody, above the page.
import { useEffect, useState } from 'react';
import { SERVICE_STATUS } from './doors';
import { formTexts } from './formtexts';
import type { Session } from './session';
import { time } from './texts';

export interface Status {
  notices: { id: string; kind: string; title: string; text: string; startsAt: string; endsAt: string | null }[];
}

const OFTEN = 5 * 60_000;

export function Notices({ session }: { session: Session }) {
  const [notices, setNotices] = useState<Status['notices']>([]);

  useEffect(() => {
    const look = () => {
      if (document.hidden) return;
      session.ask<Status>(SERVICE_STATUS).then((status) => setNotices(status.notices), () => undefined);
    };
    look();
    const timer = window.setInterval(look, OFTEN);
    return () => window.clearInterval(timer);
  }, [session]);

  return (
    <div role="status" aria-label={formTexts.notices} data-testid="notices">
      {notices.map(({ id, title, text, startsAt, endsAt }) => (
        <p key={id} className="bar-notice">
          <b>{title}</b> <time dateTime={startsAt}>{time(startsAt)}</time>
          {endsAt && <time dateTime={endsAt}> – {time(endsAt)}</time>} {text}
        </p>
      ))}
    </div>
  );
}
