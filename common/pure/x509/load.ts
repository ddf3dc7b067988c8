import type * as X509 from '@peculiar/x509';

/**
 * The X.509 library. Its dependency injection wants a `Reflect` with metadata at the moment it is loaded, and imports of
 * packages run before any code of a bundle: so the few functions are put in place first, and it is imported then.
 */
export async function loadX509(): Promise<typeof X509> {
  provideMetadata();
  return await import('@peculiar/x509');
}

type Key = unknown;

/** The part of `Reflect.metadata` that decorators use: values by key on an object, inherited through its prototypes. */
function provideMetadata(): void {
  const reflect = Reflect as unknown as Record<string, unknown>;
  if (typeof reflect['getMetadata'] === 'function') return;
  const store = new WeakMap<object, Map<Key, Map<Key, unknown>>>();
  const own = (target: object, property: Key) => store.get(target)?.get(property);
  const define = (key: Key, value: unknown, target: object, property?: Key) => {
    const properties = store.get(target) ?? new Map<Key, Map<Key, unknown>>();
    const values = properties.get(property) ?? new Map<Key, unknown>();
    store.set(target, properties.set(property, values.set(key, value)));
  };
  const get = (key: Key, target: object | null, property?: Key): unknown => {
    for (let at = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const values = own(at, property);
      if (values?.has(key)) return values.get(key);
    }
    return undefined;
  };
  reflect['defineMetadata'] = define;
  reflect['getMetadata'] = get;
  reflect['getOwnMetadata'] = (key: Key, target: object, property?: Key) => own(target, property)?.get(key);
  reflect['hasMetadata'] = (key: Key, target: object, property?: Key) => get(key, target, property) !== undefined;
  reflect['hasOwnMetadata'] = (key: Key, target: object, property?: Key) => own(target, property)?.has(key) === true;
  reflect['metadata'] = (key: Key, value: unknown) => (target: object, property?: Key) =>
    define(key, value, target, property);
}
