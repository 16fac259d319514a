// A storage that ends with the page: queries and variables hold people's data, so none is left on the disk.
import type { Storage } from '@graphiql/toolkit';

export function memory(contents: Record<string, string> = {}): Storage {
  const items = new Map(Object.entries(contents));
  return {
    get length() {
      return items.size;
    },
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}
