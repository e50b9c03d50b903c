import { computed, effect, signal } from '@preact/signals';
import { device } from '../memory';
import { en } from './en';
import { type Catalogue, vi } from './vi';

export type Language = 'vi' | 'en';

const KEY = 'nhipcau.language';

export const language = signal<Language>(device.read(KEY) === 'en' ? 'en' : 'vi');

/** The words in the language of the moment. */
export const words = computed<Catalogue>(() => (language.value === 'en' ? en : vi));

/** Keeps the document's language and the remembered choice in step. */
export function followLanguage(): void {
  effect(() => {
    document.documentElement.lang = language.value;
    device.write(KEY, language.value);
  });
}
