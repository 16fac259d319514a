// The ready-made operations of each role: files of `examples/<ROLE>/`, in the order of their names.
import type { Role } from './roles';
import { language } from './texts';

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
        variables: variables[path.replace(/\.graphql$/, '.json')]?.trimEnd() ?? '',
      };
    });
}

// A file opens with two comments: its title in Russian, then in English.
function titleOf(query: string): string {
  const [russian = '', english = ''] = query.split('\n').map((line) => line.replace(/^#\s*/, ''));
  return language === 'en' ? english : russian;
}
