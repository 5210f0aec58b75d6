"""Special functions against values computed independently, in float64, near every place where a formula changes."""

from __future__ import annotations

import numpy as np
import pytest

import wengert as wg

# fmt: off
VALUES = {
    "erf": ([1e-8, 0.3, 0.5, 2.0, 5.0],
            [1.1283791670955125e-08, 0.3286267594591274, 0.5204998778130465, 0.9953222650189527, 0.9999999999984626]),
    "erfc": ([-2.0, 0.3, 0.5, 3.0, 10.0],
             [1.9953222650189528, 0.6713732405408726, 0.4795001221869535, 2.2090496998585445e-05,
              2.0884875837625446e-45]),
    "erfcx": ([-2.0, 0.2, 1.0, 50.0],
              [108.94090438997797, 0.8090195199015808, 0.427583576155807, 0.011281536265323772]),
    "erfinv": ([-0.99999, 1e-09, 0.5, 0.9],
               [-3.123413274341571, 8.86226925452758e-10, 0.4769362762044699, 1.1630871536766743]),
    "ndtri": ([1e-300, 1e-05, 0.3, 0.99],
              [-37.0470962993612, -4.264890793922825, -0.5244005127080409, 2.3263478740408408]),
    "log_ndtr": ([-40.0, -3.0, 0.0, 5.0],
                 [-804.6084420137539, -6.60772622151035, -0.6931471805599453, -2.8665161296376294e-07]),
    "gammaln": ([-2.5, 1e-05, 0.7, 2.0001, 30.0, 1e10],
                [-0.05624371649767401, 11.512919692895826, 0.2608672465316665, 4.228165811291995e-05,
                 71.257038967168, 220258509288.81058]),
    "digamma": ([-1.5, 0.001, 7.0, 1000000.0],
                [0.7031566406452434, -1000.5755719318103, 1.872784335098467, 13.81551005796419]),
    "i0": ([0.5, 7.0, 19.0, 25.0],
           [1.0634833707413234, 168.59390851028968, 16446190.440611707, 5774560606.4663105]),
    "i1": ([-0.5, 7.0, 19.0, 25.0],
           [-0.25789430539089636, 156.03909286995534, 16007373.785836995, 5657865129.878702]),
    "i0e": ([3.0, 500.0], [0.24300035416182536, 0.017845706500153165]),
    "bessel_j0": ([0.5, 5.5, 7.0, 24.0, 40.0],
                  [0.938469807240813, -0.006843869417819189, 0.3000792705195556, -0.05623027416685942,
                   0.007366890584236951]),
    "bessel_j1": ([0.5, 5.5, 7.0, 24.0, 40.0],
                  [0.24226845767487387, -0.34143821542904335, -0.004682823482345805, -0.1540380651831213,
                   0.126038318037585]),
    "bessel_y0": ([0.005, 0.5, 5.5, 24.0, 40.0],
                  [-3.4467923694892915, -0.4445187335067066, -0.339480592881911, -0.15283402879758776,
                   0.12593641705826097]),
    "bessel_y1": ([0.005, 0.5, 5.5, 24.0, 40.0],
                  [-127.33336725981384, -1.4714723926702433, -0.02375823895638965, 0.053059776121202024,
                   -0.005793505821549509]),
    "modified_bessel_k0": ([0.1, 1.9, 2.1, 10.0, 30.0],
                           [2.4270690247020164, 0.12884597927604755, 0.10078374088996692, 1.778006231616765e-05,
                            2.1324774964630563e-14]),
    "modified_bessel_k1": ([0.1, 1.9, 2.1, 10.0, 30.0],
                           [9.853844780870606, 0.15966015303266756, 0.1227464115335079, 1.8648773453825585e-05,
                            2.1677320018915495e-14]),
    "airy_ai": ([-30.0, -9.0, -3.0, 0.0, 2.5, 9.0],
                [-0.08796818845684005, -0.022133721547341126, -0.37881429367765806, 0.3550280538878172,
                 0.015725923380470484, 2.4711684308724904e-09]),
}
# fmt: on


@pytest.mark.parametrize("name", VALUES)
def test_values_in_float64(name: str):
    x, expected = VALUES[name]
    found = getattr(wg.special, name)(wg.tensor(x, dtype=wg.float64)).numpy()
    # Beside zeros of an oscillating function only the absolute error can be small.
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=2e-14 if max(np.abs(expected)) < 1 else 0)


def test_incomplete_gamma_functions_add_up_to_one():
    a = wg.tensor([0.5, 3.0, 50.0, 500.0], dtype=wg.float64)
    x = wg.tensor([0.3, 2.0, 55.0, 480.0], dtype=wg.float64)
    lower, upper = wg.special.gammainc(a, x), wg.special.gammaincc(a, x)
    expected = [0.5614219739190003, 0.32332358381693654, 0.7677952194991436, 0.18628197319032458]
    np.testing.assert_allclose(lower.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose((lower + upper).numpy(), 1.0, rtol=1e-15)


def test_poles_and_limits():
    inf, nan = float("inf"), float("nan")
    x = wg.tensor([0.0, -1.0, inf, nan])
    np.testing.assert_array_equal(wg.lgamma(x).numpy(), [inf, inf, inf, nan])
    np.testing.assert_array_equal(wg.digamma(x).numpy(), [-inf, nan, inf, nan])
    np.testing.assert_array_equal(wg.erf(wg.tensor([-inf, 0.0, inf, nan])).numpy(), [-1.0, 0.0, 1.0, nan])
    np.testing.assert_array_equal(wg.erfinv(wg.tensor([-1.0, 1.0, 2.0])).numpy(), [-inf, inf, nan])
    np.testing.assert_array_equal(wg.special.bessel_y0(wg.tensor([0.0, -1.0])).numpy(), [-inf, nan])
    np.testing.assert_array_equal(
        wg.special.zeta(wg.tensor([1.0, 2.0, 0.5]), wg.tensor([2.0, -1.0, 1.0])).numpy(), [inf, inf, nan]
    )
