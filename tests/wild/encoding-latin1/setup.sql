SET ROLE @owner@;
CREATE TABLE "Größe" (id int PRIMARY KEY, word text);
INSERT INTO "Größe" VALUES (1, 'Ä'), (2, 'é');
