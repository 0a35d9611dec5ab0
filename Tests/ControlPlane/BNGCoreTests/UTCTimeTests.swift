// SPDX-License-Identifier: Apache-2.0
// Times as text.

import BNGCore
import Testing

@Suite struct UTCTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_050, "2000-02-29T23:59:59.050Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_763_920_800_003, "2025-11-23T18:00:00.003Z"), (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func `RFC 3339`(milliseconds: Int64, text: String) {
        #expect(UTCTime(milliseconds: milliseconds).rfc3339 == text)
    }
}
