// The ready-made operations of each role: files of `examples/<ROLE>/`, in the order of their names.
import type { Role } from './roles';
import { language, texts } from './texts';

export interface Example {
  name: string;
  title: string;
  query: string;
  variables: string;
}

const queries = import.meta.glob<string>('../examples/*/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob<string>('../examples/*/*.json', { query: '?raw', import: 'default', eager: true });

export function examplesFor(role: Role): Example[] {
  const folder = `../examples/${role}/`;
  return Object.keys(queries)
    .filter((path) => path.startsWith(folder))
    .sort()
    .map((path) => {
      const query = queries[path] ?? '';
      return {
        name: path.slice(folder.length, -'.graphql'.length),
        title: titleOf(query),
        query: query.trimEnd(),
        variables: variables[path.replace(/\.graphql$/, '.json')] ?? '',
      };
    });
}

// What the page opens with.
export const welcome = [
  ...texts.welcome.map((line) => `# ${line}`),
  '',
  (examplesFor('VISITOR')[0]?.query ?? '').replace(/^(#.*\n)+/, ''),
].join('\n');

const MOMENT = /^(now|today)(?: \+ (\d+) days)?$/;
const MOMENT_WITHIN = /"now"/g;

// An example's variables with today's times and with ids that exist: a text "now + 14 days" or "today" becomes that
// time, and a text that is a query becomes the first value of its answer. `ask` gives an answer's one root field.
export async function variablesOf(example: Example, ask: (query: string) => Promise<unknown>): Promise<string> {
  if (example.variables === '') return '';
  return JSON.stringify(await filled(JSON.parse(example.variables), ask), null, 2);
}

async function filled(value: unknown, ask: (query: string) => Promise<unknown>): Promise<unknown> {
  if (typeof value === 'string') {
    const moment = MOMENT.exec(value);
    if (moment) return momentOf(moment[1], Number(moment[2] ?? 0));
    if (value.startsWith('{ ')) return firstValue(await ask(value.replace(MOMENT_WITHIN, `"${momentOf('now', 0)}"`)));
    return value;
  }
  if (Array.isArray(value)) return Promise.all(value.map((inner) => filled(inner, ask)));
  if (typeof value !== 'object' || value === null) return value;
  const pairs = Object.entries(value).map(async ([name, inner]) => [name, await filled(inner, ask)] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

function momentOf(what: string | undefined, days: number): string {
  const moment = new Date(Date.now() + days * 86_400_000).toISOString();
  return what === 'today' ? moment.slice(0, 10) : `${moment.slice(0, 19)}Z`;
}

function firstValue(answer: unknown): unknown {
  let value = answer;
  while (typeof value === 'object' && value !== null) value = Object.values(value)[0] ?? null;
  return value;
}

// A file opens with two comments: its title in Russian, then in English.
function titleOf(query: string): string {
  const [russian = '', english = ''] = query.split('\n').map((line) => line.replace(/^#\s*/, ''));
  return language === 'en' ? english : russian;
}
