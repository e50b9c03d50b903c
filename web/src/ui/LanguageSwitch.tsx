import { language, words } from '../i18n';

export function LanguageSwitch() {
  const other = language.value === 'vi' ? 'en' : 'vi';
  return (
    <button
      type="button"
      class="button quiet"
      lang={other}
      data-testid="language"
      onClick={() => {
        language.value = other;
      }}
    >
      {words.value.language}
    </button>
  );
}
