import { useEffect, useState } from 'preact/hooks';

/** A value once it has been the same for so long; null before that, and at once when it becomes null. */
export function useLasting<T extends string>(value: T | null, forMs: number): T | null {
  const [lasting, setLasting] = useState<T | null>(null);
  useEffect(() => {
    if (value === null) return setLasting(null);
    const timer = setTimeout(() => setLasting(value), forMs);
    return () => clearTimeout(timer);
  }, [value, forMs]);
  return value === null ? null : lasting;
}
