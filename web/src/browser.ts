// What the page needs of a browser, told by name where it is missing.
export function missingFeatures(): string[] {
  const present: Record<string, boolean> = {
    'dialog': 'HTMLDialogElement' in window,
    'structuredClone': 'structuredClone' in window,
    'Array.findLast': 'findLast' in Array.prototype,
    'AbortSignal.timeout': 'timeout' in AbortSignal,
    'CSS nesting or :has()': CSS.supports('selector(:has(*))'),
    'module workers': supportsModuleWorkers(),
  };
  return Object.keys(present).filter((name) => !present[name]);
}

function supportsModuleWorkers(): boolean {
  let asked = false;
  const options = {
    get type(): 'module' {
      asked = true;
      return 'module';
    },
  };
  try {
    // A browser that knows the option reads it before it refuses the address.
    new Worker('https://', options).terminate();
  } catch {
    return asked;
  }
  return asked;
}
