SELECT id, price::numeric, price FROM prices ORDER BY id;
