// The ways in that this installation has set up.
import { useEffect, useState } from 'react';
import { SIGN_IN_WAYS } from './doors';
import type { Session } from './session';

export type Way = 'PASSWORD' | 'PASSKEY' | 'SIGNATURE' | 'ESIA';

export function useWays(session: Session): readonly Way[] {
  const [ways, setWays] = useState<readonly Way[]>([]);
  useEffect(() => {
    // Where the server cannot be asked, whatever one does next will say so.
    session.ask<Way[]>(SIGN_IN_WAYS).then(setWays, () => undefined);
  }, [session]);
  return ways;
}
