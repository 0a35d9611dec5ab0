// SPDX-License-Identifier: Apache-2.0
// The automaton against the table as RFC 1661 4.1 prints it.

import PPP
import Testing

@Suite struct AutomatonTests {
    /// Remarks p, r and x are kept as printed: they change neither state nor actions of ours.
    private static let printed = """
        Up    |    2     irc,scr/6     -         -         -         -     |    -         -         -           -
        Down  |    -         -         0       tls/1       0         1     |    1         1         1         tld/1
        Open  |  tls/1       1     irc,scr/6     3r        5r        5r    |    6         7         8           9r
        Close |    0       tlf/0       2         2         4         4     |irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
        TO+   |    -         -         -         -       str/4     str/5   |  scr/6     scr/6     scr/8         -
        TO-   |    -         -         -         -       tlf/2     tlf/3   |  tlf/3p    tlf/3p    tlf/3p        -
        RCR+  |    -         -       sta/2 irc,scr,sca/8   4         5     |  sca/8   sca,tlu/9   sca/8   tld,scr,sca/8
        RCR-  |    -         -       sta/2 irc,scr,scn/6   4         5     |  scn/6     scn/7     scn/6   tld,scr,scn/6
        RCA   |    -         -       sta/2     sta/3       4         5     |  irc/7     scr/6x  irc,tlu/9   tld,scr/6x
        RCN   |    -         -       sta/2     sta/3       4         5     |irc,scr/6   scr/6x  irc,scr/8   tld,scr/6x
        RTR   |    -         -       sta/2     sta/3     sta/4     sta/5   |  sta/6     sta/6     sta/6   tld,zrc,sta/5
        RTA   |    -         -         2         3       tlf/2     tlf/3   |    6         6         8       tld,scr/6
        RUC   |    -         -       scj/2     scj/3     scj/4     scj/5   |  scj/6     scj/7     scj/8       scj/9
        RXJ+  |    -         -         2         3         4         5     |    6         6         8           9
        RXJ-  |    -         -       tlf/2     tlf/3     tlf/2     tlf/3   |  tlf/3     tlf/3     tlf/3   tld,irc,str/5
        RXR   |    -         -         2         3         4         5     |    6         7         8         ser/9
        """

    private static let names: [String: PPPAutomaton.Actions] = [
        "tlu": .tlu, "tld": .tld, "tls": .tls, "tlf": .tlf, "irc": .irc, "zrc": .zrc, "scr": .scr, "sca": .sca,
        "scn": .scn, "str": .str, "sta": .sta, "scj": .scj, "ser": .ser,
    ]

    @Test func `every event in every state does what the RFC's table says`() throws {
        let rows = Self.printed.split(separator: "\n")
        #expect(rows.count == 16)
        for (event, row) in zip(PPPAutomaton.Event.allCases, rows) {
            let cells = row.split(separator: "|").dropFirst().flatMap { $0.split(separator: " ") }
            #expect(cells.count == 10, "\(row)")
            for (state, cell) in zip(PPPAutomaton.State.allCases, cells) {
                var automaton = PPPAutomaton(state: state)
                let actions = automaton.handle(event)
                let parts = cell.split(separator: "/")
                if cell == "-" {
                    #expect(actions == [] && automaton.state == state, "\(event) in \(state)")
                    continue
                }
                let number = try #require(UInt8(parts[parts.count - 1].prefix(1)))
                #expect(automaton.state.rawValue == number, "\(event) in \(state): \(cell)")
                let words = parts.count == 2 ? parts[0].split(separator: ",").map(String.init) : []
                let expected = words.reduce(into: PPPAutomaton.Actions()) { $0.formUnion(Self.names[$1] ?? []) }
                #expect(actions == expected, "\(event) in \(state): \(cell)")
                // The order of the table is the order of the set, except that this-layer-up comes after what is sent.
                #expect(actions.map { $0 } == words.compactMap { Self.names[$0] }, "\(event) in \(state): \(cell)")
            }
        }
    }

    @Test func `the Restart timer runs in the states of 4.2 and no others`() {
        let timed = PPPAutomaton.State.allCases.filter(\.isTimed)
        #expect(timed == [.closing, .stopping, .reqSent, .ackRcvd, .ackSent])
    }
}
