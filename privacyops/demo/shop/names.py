"""Made-up people and places of the demo shop: names, towns, streets and telephone ranges by country.

Telephone numbers come only from ranges that a regulator set aside for films and books, so nobody can be
rung up by the demo. Countries without such a range borrow a neighbour's. Sources: Bundesnetzagentur notice
148/2021 (DE), the ARCEP numbering plan (FR), Ofcom "numbers for drama use" (GB), the PTS numbers for books
and films (SE). Mail domains are those of RFC 2606.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """Building blocks for one country; `towns` are "postcode|town" and `streets` take a house number."""

    code: str
    language: str
    weight: int
    phones: str
    number_first: bool
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    towns: tuple[str, ...]
    streets: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.replace("_", " ") for part in text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


COUNTRIES: Final = (
    Country(
        "DE",
        "de",
        26,
        "DE",
        False,
        _words(
            "Anna Greta Hannah Ida Johanna Karla Lena Lotte Marlene Mathilda Nele Paula Ronja Sabine Silke"
            " Sophie Tabea Ulrike Vera Wiebke"
        ),
        _words(
            "Anton Arne Benno Carsten Emil Finn Gerd Hannes Jannik Jörg Kilian Lars Malte Moritz Niels Ole"
            " Piet Rolf Tilman Uwe"
        ),
        _words(
            "Ackermann Bergfeld Brandner Cordes Dietrich Eickhoff Falkner Gerlach Hagedorn Immelmann Jessen"
            " Kästner Lüdecke Mahnke Niehaus Ortmann Petersen Quandt"
            " Reinecke Sandkühler Tiedemann Uhlig Vosskamp"
            " Wiesner Zeller Böttcher Grünewald Hinrichs Löffler Steinmetz"
        ),
        _lines(
            "10115|Berlin; 20255|Hamburg; 50674|Köln;"
            " 60316|Frankfurt am Main; 80331|München; 04107|Leipzig;"
            " 28203|Bremen; 30167|Hannover; 79098|Freiburg; 01099|Dresden; 48143|Münster; 23552|Lübeck"
        ),
        _lines(
            "Lindenweg; Am Mühlbach; Kastanienallee; Birkenstraße;"
            " Marktgasse; Weinbergstraße; Rosenweg; Hafenstraße;"
            " Gartenstraße; Schillerstraße; Am Alten Wehr; Fliederweg"
        ),
    ),
    Country(
        "FR",
        "fr",
        16,
        "FR",
        True,
        _words(
            "Agathe Amélie Camille Capucine Chloé Claire Éloïse"
            " Inès Jeanne Juliette Léa Lucie Manon Margaux"
            " Mathilde Noémie Océane Solène Valentine Zoé"
        ),
        _words(
            "Adrien Antoine Bastien Clément Corentin Damien Étienne"
            " Florian Gaspard Hugo Jules Léon Loïc Mathis"
            " Nathan Olivier Rémi Théo Tristan Yann"
        ),
        _words(
            "Aubertin Baudry Carpentier Delorme Escoffier Fauvel"
            " Garnier Hénaff Jaubert Kerdoncuff Lagarde Maurel"
            " Navarro Ollivier Perrault Quentin Rousset Sauvage"
            " Tessier Vasseur Blanchet Chauvin Dufresne Gaillard"
            " Lemoine Marchand Pelletier Renaudin Savary Thibault"
        ),
        _lines(
            "75011|Paris; 69003|Lyon; 33000|Bordeaux; 44000|Nantes;"
            " 31000|Toulouse; 59800|Lille; 67000|Strasbourg;"
            " 35000|Rennes; 34000|Montpellier; 21000|Dijon; 37000|Tours; 13006|Marseille"
        ),
        _lines(
            "rue des Tilleuls; rue du Moulin; avenue des Acacias;"
            " rue de la Fontaine; impasse des Lilas; rue Pasteur;"
            " place du Marché; chemin des Vignes; rue Voltaire; boulevard de la Gare"
        ),
    ),
    Country(
        "AT",
        "de",
        8,
        "DE",
        False,
        _words(
            "Anneliese Barbara Elfriede Franziska Katharina Leonie"
            " Magdalena Miriam Resi Rosalie Theres Verena"
            " Viktoria Walburga"
        ),
        _words(
            "Alois Dominik Ferdinand Florian Georg Gregor Josef"
            " Leopold Lorenz Matthäus Raphael Sebastian Valentin"
            " Xaver"
        ),
        _words(
            "Aigner Brunnthaler Dorfinger Ebenbichler Fuchsberger Grasl"
            " Haslinger Innerhofer Kogler Leitgeb Moosbrugger"
            " Neuhauser Oberleitner Plankensteiner Rainalter Schwaiger Thurner Unterweger Wallner Zehetner"
        ),
        _lines("1070|Wien; 8010|Graz; 4020|Linz; 5020|Salzburg; 6020|Innsbruck; 9020|Klagenfurt; 6900|Bregenz"),
        _lines("Lerchengasse; Am Graben; Neubaugasse; Mozartstraße; Wiesenweg; Kirchengasse; Bergstraße"),
    ),
    Country(
        "NL",
        "nl",
        8,
        "DE",
        False,
        _words("Anouk Britt Carlijn Eline Fleur Hanneke Ilse Jikke Lieke Maartje Noor Roos Sanne Tess Willemijn"),
        _words("Bram Daan Floris Gijs Hidde Jelle Joost Koen Maarten Niek Pieter Ruben Sjoerd Teun Wouter"),
        _words(
            "Bakker_van_Dam Boersma Brouwer de_Graaf de_Wit Dekker"
            " Hoekstra Huisman Kuipers Meijerink Postma Schipper"
            " Terpstra van_den_Berg van_der_Meer van_Leeuwen van_Rijn Veenstra Wessels Zijlstra"
        ),
        _lines(
            "1012 AB|Amsterdam; 3511 LN|Utrecht; 3011 BD|Rotterdam;"
            " 9711 LM|Groningen; 5611 EM|Eindhoven; 6811 KP|Arnhem"
        ),
        _lines("Kerkstraat; Molenweg; Lindelaan; Havenkade; Prinsengracht; Dorpsstraat; Beukenlaan; Schoolstraat"),
    ),
    Country(
        "IT",
        "it",
        9,
        "FR",
        False,
        _words(
            "Alessia Beatrice Benedetta Bianca Camilla Chiara Elena"
            " Federica Ginevra Ilaria Lucrezia Martina Ottavia"
            " Silvia Valeria"
        ),
        _words(
            "Alessandro Andrea Davide Edoardo Emanuele Filippo Giacomo"
            " Leonardo Lorenzo Matteo Nicolò Pietro Riccardo"
            " Stefano Tommaso"
        ),
        _words(
            "Abruzzini Bellandi Caruso D'Angelo De_Santis Esposito"
            " Ferrarini Galvani Lombardi Marchetti Montanari Neri"
            " Orsini Pellegrini Quaranta Ricciardi Santoro Tarantino Valsecchi Zanetti"
        ),
        _lines(
            "20123|Milano; 00184|Roma; 10121|Torino; 40121|Bologna;"
            " 50122|Firenze; 80121|Napoli; 34121|Trieste; 37121|Verona"
        ),
        _lines("Via Garibaldi; Via dei Mille; Corso Italia; Via San Marco; Via Dante; Piazza Nuova; Via dei Tigli"),
    ),
    Country(
        "ES",
        "es",
        8,
        "FR",
        False,
        _words("Alba Carmen Clara Elvira Irene Jimena Lucía Marina Noelia Nuria Pilar Rocío Sofía Triana Ximena"),
        _words("Adrián Álvaro Bruno Diego Eduardo Fermín Gonzalo Hugo Iván Joaquín Marcos Nicolás Óscar Pablo Rubén"),
        _words(
            "Aguirre Ballesteros Cabrera Domínguez Echeverría Fuentes"
            " Galindo Herrero Ibáñez Jurado Lozano Merino"
            " Navarrete Olivares Peña Quintana Requena Salcedo Urrutia Zamora"
        ),
        _lines(
            "28012|Madrid; 08011|Barcelona; 46003|Valencia; 41001|Sevilla; 48003|Bilbao; 50001|Zaragoza; 18009|Granada"
        ),
        _lines(
            "Calle Mayor; Calle del Olmo; Avenida de la Paz;"
            " Calle Cervantes; Plaza Nueva; Calle San Juan; Paseo del Río"
        ),
    ),
    Country(
        "PL",
        "pl",
        7,
        "DE",
        False,
        _words(
            "Agnieszka Aleksandra Bożena Dorota Ewa Halina Jolanta Kinga Magda Oliwia Patrycja Weronika Zofia Żaneta"
        ),
        _words("Adam Bartosz Cezary Dawid Grzegorz Igor Jakub Krzysztof Łukasz Maciej Paweł Rafał Sławomir Tomasz"),
        _words(
            "Adamczyk Borowiec Czajka Dąbek Filipek Głowacz Jabłoń"
            " Kaczmarek Lisiecki Majchrzak Nowicki Ostrowski"
            " Pawlak Rogala Sikora Tomczak Urban Wójtowicz Zając Żuraw"
        ),
        _lines(
            "00-545|Warszawa; 31-010|Kraków; 50-101|Wrocław; 61-770|Poznań; 80-831|Gdańsk; 90-301|Łódź; 20-112|Lublin"
        ),
        _lines("ul. Lipowa; ul. Polna; ul. Słoneczna; ul. Ogrodowa; ul. Krótka; ul. Mickiewicza; ul. Leśna"),
    ),
    Country(
        "SE",
        "sv",
        6,
        "SE",
        False,
        _words("Agnes Astrid Ebba Elsa Frida Ingrid Karin Linnea Maja Saga Signe Sigrid Tuva Vendela"),
        _words("Albin Axel Elias Gustav Hampus Isak Kalle Linus Måns Nils Oskar Sixten Viggo Åke"),
        _words(
            "Ahlström Björkman Dahlgren Ekdahl Forsman Granlund"
            " Hedlund Isaksson Källström Lundmark Moberg Nordin"
            " Öberg Palmgren Rosander Sandell Törnqvist Vikander Wallin Åkesson"
        ),
        _lines("111 29|Stockholm; 411 06|Göteborg; 211 19|Malmö; 753 10|Uppsala; 582 22|Linköping; 903 26|Umeå"),
        _lines("Storgatan; Björkvägen; Kungsgatan; Hamngatan; Skolgatan; Parkvägen; Trädgårdsgatan"),
    ),
    Country(
        "BE",
        "fr",
        5,
        "FR",
        True,
        _words("Adèle Amandine Céline Charlotte Delphine Élise Lotte Maëlle Nathalie Sarah Soetkin Virginie"),
        _words("Arnaud Benoît Bert Dries Gilles Hendrik Jef Laurent Maxime Pieterjan Quentin Xavier"),
        _words(
            "Aerts Claeys Debruyne Delvaux Dumoulin Evrard Goossens"
            " Henrard Jacquemin Lambrecht Michiels Noël Peeters"
            " Renard Stevens Thys Vandamme Verlinden Wauters Wouters"
        ),
        _lines("1000|Bruxelles; 2000|Antwerpen; 9000|Gent; 4000|Liège; 5000|Namur; 3000|Leuven; 8000|Brugge"),
        _lines("rue Haute; rue de Namur; rue du Canal; avenue des Érables; rue Neuve; chaussée de Gand"),
    ),
    Country(
        "IE",
        "en",
        4,
        "GB",
        True,
        _words("Aisling Aoife Bríd Caoimhe Ciara Deirdre Fionnuala Gráinne Niamh Orla Róisín Siobhán"),
        _words("Brendan Ciarán Conor Declan Diarmuid Eoin Fergal Liam Oisín Pádraig Ronan Seán"),
        _words(
            "Byrne Cassidy Doherty Egan Fitzgerald Gallagher Hennessy"
            " Keane Lynch McCarthy Nolan O'Connell O'Shea"
            " Quigley Rafferty Sweeney Tierney Walsh"
        ),
        _lines("D02 XK09|Dublin; T12 W8KP|Cork; H91 E2K3|Galway; V94 T9PX|Limerick; X91 PK15|Waterford"),
        _lines("Harbour Road; Church Lane; Abbey Street; Mill Road; Orchard Avenue; Castle View"),
    ),
    Country(
        "DK",
        "da",
        3,
        "SE",
        False,
        _words("Agnete Astrid Caroline Ditte Emilie Gry Johanne Karoline Mette Rikke Signe Tine"),
        _words("Anders Bjarke Christian Esben Frederik Jeppe Kasper Mads Mikkel Rasmus Søren Troels"),
        _words(
            "Aagaard Bech Dalgaard Eskildsen Frandsen Holm Iversen Kjær Lauridsen Mørch Nørgaard Overgaard Riis Skov"
        ),
        _lines("1055|København; 8000|Aarhus; 5000|Odense; 9000|Aalborg; 6700|Esbjerg"),
        _lines("Nørregade; Skovvej; Bøgevej; Strandvejen; Kirkegade; Algade"),
    ),
)

BY_CODE: Final = {country.code: country for country in COUNTRIES}

PHONE_RANGES: Final = {
    # prefix in international form, then the first and last reserved ending
    "DE": (
        ("+493023125", "000", "999"),
        ("+496990009", "000", "999"),
        ("+494066969", "000", "999"),
        ("+492214710", "000", "999"),
        ("+498999998", "000", "999"),
    ),
    "FR": (
        ("+3319900", "0000", "9999"),
        ("+3326191", "0000", "9999"),
        ("+3335301", "0000", "9999"),
        ("+3346571", "0000", "9999"),
        ("+3353649", "0000", "9999"),
    ),
    "GB": (("+442079460", "000", "999"), ("+441614960", "000", "999"), ("+442896496", "000", "999")),
    "SE": (
        ("+46701740", "605", "699"),
        ("+46846500", "400", "499"),
        ("+46313900", "600", "699"),
        ("+46406280", "400", "499"),
    ),
}

MAIL_DOMAINS: Final = (
    "example.com",
    "example.com",
    "example.com",
    "example.org",
    "example.org",
    "example.net",
    "mail.example",
    "post.example",
)
