// The choice among the roles that are held.
import { Chevron } from './chevron';
import type { Role } from './roles';
import type { Identity } from './session';
import { texts } from './texts';

interface Props {
  identity: Identity | null;
  isBusy: boolean;
  onSwitch: (role: Role) => void;
}

export function RoleSwitch({ identity, isBusy, onSwitch }: Props) {
  const role = identity?.role ?? 'VISITOR';
  const roles = identity?.roles ?? [role];
  return (
    <label className="role">
      <span className="bar-caption">{texts.role}</span>
      <span className="role-choice">
        <select
          className="role-select"
          data-testid="role-switch"
          value={role}
          // One that is disabled while it switches would lose the focus.
          disabled={roles.length < 2}
          aria-busy={isBusy}
          title={isBusy ? texts.switching : roles.length > 1 ? texts.switchHint : undefined}
          onChange={(event) => {
            if (!isBusy) onSwitch(event.currentTarget.value as Role);
          }}
        >
          {roles.map((held) => (
            <option key={held} value={held}>
              {texts.roles[held]} · {held}
            </option>
          ))}
        </select>
        {roles.length > 1 && <Chevron />}
      </span>
    </label>
  );
}
