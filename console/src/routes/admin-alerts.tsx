export { AlertsPage } from '../features/admin/alerts-page';
