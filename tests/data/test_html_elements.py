from mercuric.data.html_elements import element_texts


def test_headings_and_paragraphs_are_found_by_id() -> None:
    page = """<h1 id="a" dir="auto"><a name="x"></a>About  Headers
        and Footers</h1><div id="d"><p id="b" class="x">Choose <span class="menu">Format - Page</span>,
        then <a href="y.html">Fields</a>.</p></div>"""
    assert element_texts(page) == {
        "a": "About Headers and Footers",
        "b": "Choose Format - Page, then Fields.",
    }


def test_entities_are_characters_and_line_breaks_are_spaces() -> None:
    assert element_texts('<p id="a">Values &amp; <b>Formats</b><br>f&uuml;r &#8222;alle&#8220;</p>') == {
        "a": "Values & Formats für „alle“"
    }


def test_code_and_elements_without_an_id_are_left_out() -> None:
    page = '<p id="a" class="code">Sub Main</p><p>No id here</p><pre id="b">x</pre><p id="c">text</p>tail'
    assert element_texts(page) == {"c": "text"}


def test_the_first_element_of_an_id_counts() -> None:
    assert element_texts('<p id="a">first</p><h2 id="a">second</h2>') == {"a": "first"}


def test_a_page_cut_off_gives_what_was_closed() -> None:
    assert element_texts('<h1 id="a">whole</h1><p id="b">half of a sen') == {"a": "whole"}
