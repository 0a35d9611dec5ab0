// SPDX-License-Identifier: Apache-2.0
// When a pool is nearly used up.

/// From which share of a pool held there is an alarm; it ends five points below, so that it does not come and go.
struct PoolAlarm: Sendable {
    /// 0: there is none.
    let percent: Int

    func isRaised(_ wasRaised: Bool, held: Int, of total: Int) -> Bool {
        // Wider than the counts: a total may be near the largest one.
        let (held, total) = (UInt128(held) * 100, UInt128(total))
        return wasRaised
            ? held > UInt128(max(0, self.percent - 5)) * total
            : self.percent > 0 && total > 0 && held >= UInt128(self.percent) * total
    }
}
