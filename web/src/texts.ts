// What a person reads on the page, in Russian and in English.
import type { Role } from './roles';

const russian = {
  title: 'GraphiQL · Кабинет медработника',
  brand: 'Кабинет медработника',
  role: 'Роль',
  switching: 'Роль меняется…',
  switchHint: 'Сменить роль без нового входа',
  examples: 'Примеры',
  examplesOf: 'Готовые запросы для роли',
  noExamples: 'Для этой роли примеров нет',
  account: 'Учётная запись',
  guest: 'Вы не вошли',
  signIn: 'Войти',
  signOut: 'Выйти',
  signInTitle: 'Вход в кабинет',
  login: 'Телефон или e-mail',
  password: 'Пароль',
  code: 'Одноразовый код',
  codeHint: 'Из приложения; без него дальше можно выбрать другой способ',
  factor: 'Чем подтвердить вход',
  factors: { TOTP: 'Код из приложения', SMS: 'Код из SMS', RECOVERY_CODE: 'Резервный код', PASSKEY: 'Ключ доступа' },
  sendCode: 'Отправить код',
  cancel: 'Отмена',
  close: 'Закрыть',
  required: 'Заполните это поле.',
  sessionEnded: 'Сеанс закончился. Войдите снова: запросы во вкладках сохранены, ответы убраны.',
  roleGone: 'Прежняя роль больше не действует. Показана текущая.',
  requestStopped: 'Запрос остановлен: сменилась роль или закончился сеанс.',
  cookiesNeeded: 'Браузер не сохранил сеанс. Разрешите cookie этому сайту; без TLS они хранятся только на localhost.',
  unreachable: 'Сервер не отвечает. Проверьте соединение и повторите.',
  notGraphQL: 'Сервер ответил не так, как отвечает GraphQL.',
  socketClosed: 'Подписка закрыта сервером',
  welcome: [
    'Войдите и выберите роль: схема здесь',
    'всегда та, что видна этой роли.',
    'Готовые запросы — в меню «Примеры».',
    'Выполнить: Ctrl+Enter.',
  ],
  oldBrowser: 'Браузер слишком старый',
  oldBrowserAdvice: 'Обновите его: нужен Chrome, Edge или Яндекс Браузер от 111, Firefox от 114, Safari от 16.4.',
  oldBrowserMissing: 'Не хватает: ',
  notLoaded: 'Страница не загрузилась',
  notLoadedAdvice: 'Обновите её. Если не поможет, передайте в поддержку текст ниже.',
  roles: {
    VISITOR: 'Посетитель',
    CITIZEN: 'Гражданин',
    DOCTOR: 'Врач',
    NURSE: 'Медсестра',
    ADMIN: 'Администрация',
    ANALYST: 'Аналитик',
    INSPECTOR: 'Инспектор',
    OPERATOR: 'Поддержка',
  } satisfies Record<Role, string>,
};

const english: typeof russian = {
  title: "GraphiQL · Medical worker's cabinet",
  brand: "Medical worker's cabinet",
  role: 'Role',
  switching: 'Switching role…',
  switchHint: 'Switch role without signing in again',
  examples: 'Examples',
  examplesOf: 'Ready-made operations for the role',
  noExamples: 'No examples for this role',
  account: 'Account',
  guest: 'Not signed in',
  signIn: 'Sign in',
  signOut: 'Sign out',
  signInTitle: 'Sign in to the cabinet',
  login: 'Phone or e-mail',
  password: 'Password',
  code: 'One-time code',
  codeHint: 'From your app; without it you choose another way next',
  factor: 'How to confirm',
  factors: { TOTP: 'Code of the app', SMS: 'Code by SMS', RECOVERY_CODE: 'Recovery code', PASSKEY: 'Passkey' },
  sendCode: 'Send a code',
  cancel: 'Cancel',
  close: 'Close',
  required: 'Fill in this field.',
  sessionEnded: 'The session has ended. Sign in again: your tabs are kept, their responses are gone.',
  roleGone: 'Your former role is no longer held. The current one is shown.',
  requestStopped: 'Request stopped: the role changed or the session ended.',
  cookiesNeeded: 'The browser did not keep the session. Allow cookies of this site; without TLS only localhost keeps them.',
  unreachable: 'The server does not answer. Check the connection and try again.',
  notGraphQL: 'The answer of the server is not a GraphQL answer.',
  socketClosed: 'The server closed the subscription',
  welcome: [
    'Sign in and choose a role: the schema here',
    'is always the one that role sees.',
    'Ready operations are in "Examples".',
    'Run: Ctrl+Enter.',
  ],
  oldBrowser: 'Your browser is too old',
  oldBrowserAdvice: 'Update it: Chrome or Edge 111+, Firefox 114+, or Safari 16.4+.',
  oldBrowserMissing: 'Missing: ',
  notLoaded: 'The page could not be loaded',
  notLoadedAdvice: 'Reload it. If that does not help, give support the text below.',
  roles: {
    VISITOR: 'Visitor',
    CITIZEN: 'Citizen',
    DOCTOR: 'Doctor',
    NURSE: 'Nurse',
    ADMIN: 'Administration',
    ANALYST: 'Analyst',
    INSPECTOR: 'Inspector',
    OPERATOR: 'Support',
  },
};

// Russian unless the person prefers English to it: the first of the two in their list decides.
export const language: 'ru' | 'en' = navigator.languages
  .map((tag) => tag.slice(0, 2).toLowerCase())
  .find((tag) => tag === 'ru' || tag === 'en') === 'en' ? 'en' : 'ru';

export const texts = language === 'en' ? english : russian;

const TIME = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'short' });

// A moment by the reader's own clock.
export const time = (moment: string): string => TIME.format(new Date(moment));
