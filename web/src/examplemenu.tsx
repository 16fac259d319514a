// The menu of ready-made operations for a role.
import { DropdownMenu } from '@graphiql/react';
import { Chevron } from './chevron';
import { useOpenExample } from './editors';
import { type Example, examplesFor, variablesOf } from './examples';
import { request } from './graphql';
import type { Role } from './roles';
import type { Session } from './session';
import { texts } from './texts';

export function ExampleMenu({ session, role }: { session: Session; role: Role }) {
  const openExample = useOpenExample();
  const examples = examplesFor(role);

  async function open(example: Example) {
    // Where the server cannot be asked, the example opens as it stands in its file.
    const variables = await variablesOf(example, (query) => request(session.send, query)).catch(() => example.variables);
    openExample(example.query, variables);
  }

  return (
    <DropdownMenu modal={false}>
      <DropdownMenu.Button className="button examples-button" data-testid="examples">
        {texts.examples}
        <Chevron />
      </DropdownMenu.Button>
      <DropdownMenu.Content className="examples" align="start" aria-label={`${texts.examplesOf} ${role}`}>
        <div className="examples-title">
          {texts.examplesOf} <b>{texts.roles[role]}</b>
        </div>
        {examples.length === 0 && <div className="examples-title">{texts.noExamples}</div>}
        {examples.map((example) => (
          <DropdownMenu.Item
            key={example.name}
            className="examples-item"
            data-testid={`example-${example.name}`}
            onSelect={() => void open(example)}
          >
            <span>{example.title}</span>
            <span className={`kind kind-${kindOf(example.query)}`}>{kindOf(example.query)}</span>
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  );
}

function kindOf(query: string): string {
  return /^(query|mutation|subscription)\b/m.exec(query)?.[1] ?? 'query';
}
