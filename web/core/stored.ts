/** Names keys, and goes with whoever may see them. */
export const CHOSEN_FORMS = 'forms';

/** What is remembered on this device; where nothing may be stored it is remembered until the page is left. */
export function stored(name: string, where: 'local' | 'session' = 'local') {
  const key = `proconsul.${name}`;
  const storage = () => (where === 'local' ? localStorage : sessionStorage);
  return {
    read: (): string => attempt(() => storage().getItem(key)) ?? '',
    write: (text: string): void => {
      attempt(() => (text === '' ? storage().removeItem(key) : storage().setItem(key, text)));
    },
  };
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    // A reader may have forbidden it.
    return undefined;
  }
}
