DELETE FROM orders WHERE id > 100;
UPDATE customers SET name = name || ' (gone)';
